/** New items join an index: which error of the old items' codes is still theirs, and which rows are new. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { readIndex } from '../../lib/data/sid-index.js';
import { useEngine } from '../../lib/engine/engine.js';
import { type Vectors, writeNpy } from '../../lib/files/npy.js';
import { assignSids } from '../../lib/sid/assign-sids.js';
import { extendIndex } from '../../lib/sid/extend-index.js';
import { readSids } from '../../lib/sid/files/read-sids.js';
import { readCard, writeCard } from '../../lib/sid/files/sid-card.js';
import { meanSquaredError } from '../../lib/sid/quantized.js';
import { sidStage } from '../../lib/sid/sid-stage.js';

const MEANS = [-40, 0, 60] as const;
/** Six items, two around each mean. */
const ITEMS = MEANS.flatMap((mean) => [[mean + 3, mean - 1, mean + 2], [mean - 3, mean + 1, mean - 2]]); // prettier-ignore
const matrix = (rows: number[][]): Vectors => ({ rows: rows.length, width: rows[0]!.length, data: Float32Array.from(rows.flat()) }); // prettier-ignore
/** The items as far from their means as `spread` says, all times `unit`. */
const spread = (by: number, unit = 1): number[][] => ITEMS.map((row, i) => row.map((value) => unit * (MEANS[i >> 1]! + by * (value - MEANS[i >> 1]!)))); // prettier-ignore

let folder: string;
let index: string;
let embeddings: string;

beforeAll(async () => void (await useEngine()));
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'extend-'));
  [index, embeddings] = [join(folder, 'x.index.json'), join(folder, 'x.npy')];
});
afterEach(() => rmSync(folder, { recursive: true }));

/** @returns the error that the card says */
async function make(rows: number[][], codebookSize = [3]): Promise<number> {
  writeNpy(embeddings, matrix(rows));
  await sidStage({ embeddings, index, method: 'rqkmeans', codebookSize, collisions: 'keep' });
  return readCard(index)!.mse;
}

function extend(rows: number[][]) {
  writeNpy(embeddings, matrix(rows));
  return extendIndex({ embeddings, index });
}

test('the rows beyond the last item are new, and get codes of their own; the others stay', async () => {
  await make(ITEMS, [3, 5]);
  const old = readIndex(index);
  expect(extend(ITEMS)).toMatchObject({ items: 6, added: 0, levels: 2 });
  const later = [[61, 60, 58], [0, 9, 0], [-40, -40, -40]]; // prettier-ignore
  expect(extend([...ITEMS, ...later])).toMatchObject({ items: 9, added: 3, levels: 2 });
  expect(readIndex(index).slice(0, 6)).toEqual(old);
  const { codes, codebooks, card } = readSids(index, 9);
  expect(codes.slice(6)).toEqual(assignSids(matrix(later), codebooks, codes.slice(0, 6)));
  expect(card!.mse).toBe(meanSquaredError(matrix([...ITEMS, ...later]), codes, codebooks));
  expect(() => extend(ITEMS)).toThrow('expected 9 rows or more, one an item of');
});

test.each([
  ['0.9 % more', 1, Math.sqrt(1.009), true],
  ['1.1 % more', 1, Math.sqrt(1.011), false],
  ['three quarters more', 1, Math.sqrt(1.75), false],
  ['less', 1, 0.5, true],
  ['half more, in a small unit', 0.001, Math.sqrt(1.5), false],
  ['the same, in a small unit', 0.001, 1, true],
])('an error that is %s', async (_, unit, by, fits) => {
  expect(await make(spread(1, unit))).toBeCloseTo((unit * unit * (9 + 1 + 4)) / 3, 9);
  const was = readFileSync(index, 'utf8');
  if (fits) expect(extend(spread(by, unit)).items).toBe(6);
  else expect(() => extend(spread(by, unit))).toThrow('expected the first 6 vectors to be those that the SIDs were made of'); // prettier-ignore
  expect(readFileSync(index, 'utf8')).toBe(was);
});

test('an error of nothing may become a thousand-millionth, which rounding makes of it', async () => {
  expect(await make(ITEMS, [6])).toBe(0);
  expect(extend(ITEMS).items).toBe(6);
});

test('exactly at the tolerance the vectors are the same', async () => {
  const now = await make(ITEMS);
  const card = readCard(index)!;
  const limit = (mse: number): number => 1.01 * mse + 1e-9;
  let before = (now - 1e-9) / 1.01;
  while (limit(before) < now) before += 1e-16;
  while (limit(before) > now) before -= 1e-16;
  expect(limit(before)).toBe(now);
  writeCard(index, { ...card, mse: before });
  expect(extend(ITEMS).items).toBe(6);
  writeCard(index, { ...card, mse: before * (1 - 1e-12) });
  expect(() => extend(ITEMS)).toThrow('expected the first 6 vectors to be those');
});
