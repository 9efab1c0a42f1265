import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { readIndex } from '../../lib/data/sid-index.js';
import { useEngine } from '../../lib/engine/engine.js';
import { readNpy, writeNpy } from '../../lib/files/npy.js';
import { sidOutputs } from '../../lib/sid/files/saved-sids.js';
import { readCard } from '../../lib/sid/files/sid-card.js';
import { METHODS } from '../../lib/sid/methods.js';
import type { SidMethod } from '../../lib/sid/sid-method.js';
import type { Collisions } from '../../lib/sid/choices.js';
import { SID_METHODS, type SidMethodName } from '../../lib/sid/methods.js';
import { sidQualityStage } from '../../lib/sid/quality/quality-stage.js';
import type { QuantizeResult } from '../../lib/sid/quantized.js';
import { quantizeResult } from '../../lib/sid/residual.js';
import { sidStage } from '../../lib/sid/sid-stage.js';
import { Random } from '../../lib/support/random.js';

beforeAll(() => useEngine());

function embeddings(rows: number, bad?: number): string {
  const random = new Random(1);
  const path = join(mkdtempSync(join(tmpdir(), 'sid-')), 'Toys.emb-lsa.npy');
  const data = Float32Array.from({ length: rows * 4 }, (_, i) => (i === bad ? NaN : random.normal()));
  writeNpy(path, { rows, width: 4, data });
  return path;
}

test('vectors -> index and codebooks', async () => {
  const path = embeddings(64);
  const report = await sidStage({ embeddings: path, codebookSize: 8 });
  expect(report).toMatchObject({
    method: 'rqkmeans',
    items: 64,
    levels: 3,
    codebookSize: [8, 8, 8],
    collision: { final: 0 },
  });
  expect(report.index).toBe(path.replace('.emb-lsa.npy', '.index.json'));
  const index = readIndex(report.index, 64);
  expect(new Set(index.map((tokens) => tokens.join(''))).size).toBe(64);
  expect(index[0]!.map((token) => token.slice(0, 3))).toEqual(['<a_', '<b_', '<c_']);
  expect(report.codebooks.map((file) => readNpy(file).rows)).toEqual([8, 8, 8]);
  expect(report.codesUsed).toHaveLength(3);
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
});

test('mistakes leave nothing behind', async () => {
  const path = embeddings(10, 22);
  await expect(sidStage({ embeddings: path })).rejects.toThrow(`${path}: row 5, column 2 is NaN`);
  await expect(sidStage({ embeddings: path, method: 'magic' as SidMethodName })).rejects.toThrow(
    /expected method to be one of rqkmeans.*, got "magic"/,
  );
  await expect(sidStage({ embeddings: path, index: 'x.json' })).rejects.toThrow(
    'expected --index to end in .index.json',
  );
  await expect(sidStage({ embeddings: path + 'x' })).rejects.toThrow('no such file; run sidlab embed first');
  expect(readdirSync(join(path, '..'))).toEqual(['Toys.emb-lsa.npy']);
  expect(existsSync('x.json')).toBe(false);
});

/** A method as a notebook cell may write it: the sign of each of the first two columns. */
const signs: SidMethod = {
  name: 'signs',
  learned: false,
  options: { collisions: METHODS['rqkmeans-constrained'].options.collisions },
  quantize: (vectors, { collisions = 'rank' }: { collisions?: Collisions }) => {
    const codes = Array.from({ length: vectors.rows }, (_, i) =>
      [0, 1].map((column) => (vectors.data[i * vectors.width + column]! < 0 ? 1 : 0)),
    );
    const books = [0, 1].map((column) => {
      const data = new Float32Array(2 * vectors.width);
      data[column] = 0.8;
      data[vectors.width + column] = -0.8;
      return { rows: 2, width: vectors.width, data };
    });
    return quantizeResult(vectors, codes, books, collisions);
  },
};

test('a method of one’s own goes through the stage, its card, quality and later items', async () => {
  const path = embeddings(30);
  const report = await sidStage({ embeddings: path, method: signs });
  expect(report).toMatchObject({ method: 'signs', items: 30, levels: 2, codebookSize: [2, 2], model: null });
  expect(report.ranked).toBeGreaterThan(20);
  expect(sidOutputs(report.index, signs, 2)).toEqual([report.index, report.card, ...report.codebooks]);
  const { data } = readNpy(path);
  const sid = readIndex(report.index, 30)[3]!;
  expect(sid.slice(0, 2)).toEqual([`<a_${data[12]! < 0 ? 1 : 0}>`, `<b_${data[13]! < 0 ? 1 : 0}>`]);
  expect(readCard(report.index)).toMatchObject({ method: 'signs', space: 'vectors', width: 4 });
  const quality = await sidQualityStage({ index: report.index, embeddings: path });
  expect(quality.collision).toEqual(report.collision);
  expect(quality.levels[1]!.mse).toBeCloseTo(report.mse, 6);
  const unresolved = await sidStage({ embeddings: path, method: signs, collisions: 'keep', index: path.replace('.npy', '.index.json') }); // prettier-ignore
  expect(unresolved.collision).toEqual({ raw: 26 / 30, final: 26 / 30 });
});

test('a method that gives something else is named before anything is written', async () => {
  const path = embeddings(10);
  const fails = (method: unknown, message: string) =>
    expect(sidStage({ embeddings: path, method: method as SidMethod })).rejects.toThrow(message);
  const change = (of: (found: QuantizeResult) => object): SidMethod => ({
    ...signs,
    quantize: async (...given) => {
      const found = await signs.quantize(...given);
      return { ...found, ...of(found) };
    },
  });
  await fails(
    { quantize: signs.quantize, learned: false },
    'sid: expected method to be a method with a name, a function quantize',
  );
  await fails(null, 'sid: expected method to be one of rqkmeans');
  await fails(change(({ codes }) => ({ codes: codes.slice(1) })), 'sid: method signs: expected codes of 10 items, got 9'); // prettier-ignore
  await fails(change(({ codes }) => ({ codes: codes.with(4, [0, 2]) })), "expected codes among the codebooks' rows, got 0 2 for item 4"); // prettier-ignore
  await fails(change(({ raw }) => ({ raw: raw.with(2, [0]) })), "expected raw among the codebooks' rows, got 0 for item 2"); // prettier-ignore
  await fails({ ...signs, learned: true }, 'sid: method signs: expected the model of a learned method, got none');
  await fails(
    change(() => ({ model: {} })),
    'sid: method signs: expected no model, as it is not learned, got one',
  );
  expect(readdirSync(join(path, '..'))).toEqual(['Toys.emb-lsa.npy']);
});

test('every method of the kit carries its own name', () => {
  for (const name of SID_METHODS) expect(METHODS[name].name).toBe(name);
});
