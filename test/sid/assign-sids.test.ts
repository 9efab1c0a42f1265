import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { indexCodes, readIndex } from '../../lib/data/sid-index.js';
import { useEngine } from '../../lib/engine/engine.js';
import { readNpy, type Vectors, writeNpy } from '../../lib/files/npy.js';
import { assignSids, sidItems } from '../../lib/sid/assign-sids.js';
import { rqKmeansConstrained } from '../../lib/sid/balanced/rqkmeans-constrained.js';
import { extendIndex } from '../../lib/sid/extend-index.js';
import { codebookFile, readCodebooks } from '../../lib/sid/files/codebook-files.js';
import { rqKmeans } from '../../lib/sid/kmeans/rqkmeans.js';
import { sidStage } from '../../lib/sid/sid-stage.js';
import { Random } from '../../lib/support/random.js';

beforeAll(() => useEngine());

function cloud(rows: number, width: number, seed = 1): Vectors {
  const random = new Random(seed);
  return { rows, width, data: Float32Array.from({ length: rows * width }, () => random.normal()) };
}

const part = ({ width, data }: Vectors, from: number, to: number): Vectors => ({
  rows: to - from,
  width,
  data: data.slice(from * width, to * width),
});

test('the items that made the codebooks get the codes they had', () => {
  const x = cloud(150, 5);
  const { codes, codebooks } = rqKmeans(x, { codebookSize: 12, collisions: 'keep' });
  expect(assignSids(x, codebooks)).toEqual(codes);
});

test('new items take no SID that is in use, nor each other’s; where it is free they get the nearest', () => {
  const x = cloud(200, 4);
  const { codes, codebooks } = rqKmeans(part(x, 0, 100), { codebookSize: 6, levels: 3 });
  const twins = { rows: 116, width: 4, data: Float32Array.from([...x.data.slice(0, 400), ...x.data.slice(0, 64)]) };
  const added = assignSids(twins, codebooks, codes);
  expect(new Set([...codes, ...added].map((path) => path.join())).size).toBe(216); // all of 6^3
  const loner = assignSids(part(x, 150, 151), codebooks);
  expect(
    assignSids(
      part(x, 150, 151),
      codebooks,
      codes.filter((path) => path.join() !== loner[0]!.join()),
    ),
  ).toEqual(loner);
});

test('no room, another width, a hole: each says so', () => {
  const { codes, codebooks } = rqKmeans(cloud(8, 3), { codebookSize: 2, levels: 3 });
  expect(() => assignSids(cloud(1, 3), codebooks, codes)).toThrow('expected room for 1 items, got 0 free SIDs');
  expect(() => assignSids(cloud(1, 4), codebooks)).toThrow('expected codebooks of width 4, as the vectors, got 3');
  expect(() => assignSids({ rows: 1, width: 3, data: Float32Array.of(0, NaN, 0) }, codebooks)).toThrow(
    'column 1 is NaN',
  );
  expect(() => assignSids(cloud(1, 3), [])).toThrow('expected a codebook or more, got none');
  expect(assignSids({ rows: 0, width: 3, data: new Float32Array() }, codebooks)).toEqual([]);
});

test('SID to items and back', () => {
  const index = [['<a_1>', '<b_2>'], ['<a_1>', '<b_3>'], ['<a_1>', '<b_2>']]; // prettier-ignore
  expect([...sidItems(index)]).toEqual([
    ['<a_1><b_2>', [0, 2]],
    ['<a_1><b_3>', [1]],
  ]);
});

test('an index grows: old SIDs stay, new items get free ones', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sid-extend-'));
  const [few, all] = [join(folder, 'few.npy'), join(folder, 'all.npy')];
  const x = cloud(90, 4);
  writeNpy(few, part(x, 0, 60));
  writeNpy(all, x);
  for (const method of ['rqkmeans', 'rqkmeans-constrained'] as const) {
    const index = join(folder, `${method}.index.json`);
    await sidStage({ embeddings: few, index, method, codebookSize: 8 });
    const before = readIndex(index);
    expect(extendIndex({ embeddings: all, index })).toMatchObject({ items: 90, added: 30, levels: 3 });
    const after = readIndex(index, 90);
    expect(after.slice(0, 60)).toEqual(before);
    expect(sidItems(after).size).toBe(90);
    const text = readFileSync(index, 'utf8');
    expect(() => extendIndex({ embeddings: few, index })).toThrow('expected 90 rows or more, one an item');
    expect(readFileSync(index, 'utf8')).toBe(text);
  }
});

test('vectors whose error is a hundredth larger than it was are others, however small it is', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sid-fit-'));
  const [embeddings, index, card] = ['x.npy', 'x.index.json', 'x.sid.json'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const x = cloud(60, 4);
  writeNpy(embeddings, { ...x, data: x.data.map((value) => value / 100) });
  await sidStage({ embeddings, index, codebookSize: 8 });
  const whole = JSON.parse(readFileSync(card, 'utf8')) as { mse: number };
  expect(whole.mse).toBeLessThan(1e-4);
  const extendedFrom = (mse: number) => () => {
    writeFileSync(card, JSON.stringify({ ...whole, mse }));
    return extendIndex({ embeddings, index });
  };
  expect(extendedFrom(whole.mse / 1.005)()).toMatchObject({ items: 60, added: 0 });
  expect(extendedFrom(whole.mse / 1.02)).toThrow(
    'expected the first 60 vectors to be those that the SIDs were made of',
  );
});

test('codebooks are read back as written; one of another width is named; fewer levels leave none behind', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sid-books-'));
  const [embeddings, index] = [join(folder, 'x.npy'), join(folder, 'x.index.json')];
  writeNpy(embeddings, cloud(40, 4));
  await sidStage({ embeddings, index, codebookSize: [4, 5, 6], collisions: 'keep' });
  const books = readCodebooks(index);
  expect(books.map(({ rows }) => rows)).toEqual([4, 5, 6]);
  expect(assignSids(readNpy(embeddings), books)).toEqual(indexCodes(readIndex(index)));
  writeNpy(codebookFile(index, 1), cloud(5, 3));
  expect(() => readCodebooks(index)).toThrow(`${codebookFile(index, 1)}: expected a codebook of width 4, got 3`);
  expect(() => readCodebooks(index, 7)).toThrow('expected a codebook of width 7, got 4');
  await sidStage({ embeddings, index, codebookSize: [7, 7] });
  expect(existsSync(codebookFile(index, 2))).toBe(false);
  expect(() => readCodebooks(join(folder, 'none.index.json'))).toThrow('no such file; run sidlab sid first');
});

test('ranks: every item of a group has one, and the stage counts them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sid-rank-'));
  const embeddings = join(folder, 'x.npy');
  writeNpy(embeddings, cloud(64, 2));
  const report = await sidStage({ embeddings, method: 'rqkmeans-constrained', codebookSize: 4, levels: 2 });
  const index = readIndex(report.index, 64);
  const groups = new Map<string, number[]>();
  for (const path of indexCodes(index)) {
    const own = path.slice(0, 2).join();
    groups.set(own, [...(groups.get(own) ?? []), path[2] ?? -1]);
  }
  for (const ranks of groups.values()) {
    expect(ranks).toEqual(ranks.length === 1 ? [-1] : [...ranks.keys()]);
  }
  expect(report.ranked).toBe([...groups.values()].reduce((sum, { length }) => sum + (length > 1 ? length : 0), 0));
  expect(report.ranked).toBeGreaterThan(0);
  expect(report.collision.raw).toBeCloseTo(1 - groups.size / 64);
  expect(report.collision.final).toBe(0);
});

test('rqKmeansConstrained: sizes within the limits, whatever the vectors', () => {
  const same = { rows: 300, width: 3, data: new Float32Array(900).fill(0.25) };
  const base = cloud(3, 3);
  const hundreds = { rows: 300, width: 3, data: Float32Array.from({ length: 900 }, (_, at) => base.data[at % 9]!) };
  for (const x of [cloud(300, 3), same, hundreds]) {
    const { clusterSize, collision } = rqKmeansConstrained(x, { codebookSize: [16, 7, 10] });
    expect(clusterSize.min).toBeGreaterThanOrEqual(300 / 16 - 2);
    expect(clusterSize.max).toBeLessThanOrEqual(300 / 7 + 1);
    expect(collision.final).toBe(0);
  }
  const even = rqKmeansConstrained(cloud(96, 3), { codebookSize: 8, clusterSize: [12, 12] });
  expect(even.clusterSize).toEqual({ min: 12, max: 12 });
});

test('one item; limits that cannot be met', () => {
  const one = rqKmeansConstrained(cloud(1, 3));
  expect(one.codes).toEqual([[0, 0, 0]]);
  expect(one.mse).toBeLessThan(1e-12);
  const x = cloud(20, 2);
  expect(() => rqKmeansConstrained(x, { codebookSize: 4, clusterSize: [6, 9] })).toThrow(
    'expected cluster sizes that 20 items can meet, got 6 to 9 for 4 codes, 24 to 36 items; set --cluster-size around 5',
  );
  expect(() => rqKmeansConstrained(x, { codebookSize: 4, clusterSize: [1, 4] })).toThrow('4 to 16 items');
  expect(() => rqKmeansConstrained(x, { codebookSize: 4, clusterSize: 5 as never })).toThrow(
    'expected clusterSize to be 2 whole numbers of 0 or more, got 5',
  );
  expect(() => rqKmeansConstrained(x, { codebookSize: 21 })).toThrow('expected a codebook size from 1 to 20');
  expect(() => rqKmeansConstrained({ ...x, data: x.data.with(3, -Infinity) })).toThrow('row 1, column 1 is -Infinity');
  expect(() => rqKmeansConstrained(x, { nInit: 0 })).toThrow('expected nInit to be a whole number of 1 or more, got 0');
});
