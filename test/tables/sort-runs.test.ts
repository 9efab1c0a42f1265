/** Which runs are of today's data, and what a table says of the others. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { baselineStage } from '../../lib/baselines/baseline-stage.js';
import { formatInter } from '../../lib/data/inter-file.js';
import { loadDataset } from '../../lib/data/load.js';
import { hashFile, writeAtomic } from '../../lib/files/files.js';
import { fillTable } from '../../lib/tables/fill-table.js';
import { findRuns } from '../../lib/tables/find-runs.js';
import { measureRuns } from '../../lib/tables/measure-runs.js';
import type { PaperTable } from '../../lib/tables/paper-table.js';
import { sortRuns, todayOf } from '../../lib/tables/sort-runs.js';
import { putRun, rows, SASREC, TABLE, toyFolder } from './toys.js';

const names = (runs: readonly { folder: string }[]) => runs.map(({ folder }) => folder.split('/').at(-1));

test('histories and inputs tell a stale run; of one seed the fresh run counts', async () => {
  const data = toyFolder();
  const now = Object.fromEntries(
    ['train', 'test'].map((split) => [`Toys.${split}.inter`, hashFile(join(data, `Toys.${split}.inter`))]),
  );
  const put = (name: string, config: object, right = 8, of = rows): void =>
    putRun(join(data, 'runs', name), { ...SASREC, ...config }, right, of);
  const longer = rows.map((row, i) => (i === 5 ? { ...row, history: [3, ...row.history] } : row));
  const other = rows.map((row, i) => (i === 5 ? { ...row, history: [row.history[1]!, row.history[0]!] } : row));
  put('a', { seed: 1 }, 8, longer);
  put('b', { seed: 1, inputs: now }, 2);
  put('c', { seed: 1 }, 4); // a second one of the seed
  put('d', { seed: 2 }, 8, other);
  put('e', { seed: 2, inputs: { ...now, 'Toys.train.inter': 'other' } });
  put('f', { seed: 3, inputs: { ...now, elsewhere: 'not there today' } }, 6);
  put('g', { seed: 4 }, 8, rows.slice(1));
  const sorted = await sortRuns(findRuns(data, { baseline: 'sasrec' }), todayOf(await loadDataset(data)));
  expect(names(sorted.fresh.map(({ run }) => run))).toEqual(['b', 'f']);
  expect(names(sorted.stale)).toEqual(['d', 'g']);
  const measured = measureRuns(sorted, ['HR@1'])!;
  expect(measured.mean['HR@1']).toBe(0.5);
  expect(measured.stale).toBe(2);
  expect(measured.runs.every((run) => !('inputs' in run))).toBe(true);
  const [filled] = (await fillTable('toys', TABLE, [await loadDataset(data)])).datasets;
  expect(filled!.rows.find(({ model }) => model === 'SASRec')!.note).toBe('2 runs on other data');
});

test("the index counts where a baseline reads the data folder's", async () => {
  const data = toyFolder();
  writeAtomic(join(data, 'Toys.index.json'), '{}');
  const tiger = {
    ...{ stage: 'baseline', baseline: 'tiger', epochs: 200, batchSize: 256, learningRate: 0.001, weightDecay: 0 },
    ...{ maxGradNorm: 0, dropout: 0.2, evalEpochs: 2, bestMetric: 'NDCG@10', patience: 10, width: 128, layers: 2 },
    ...{ heads: 4, headWidth: 32, feedForward: 512, validRows: 500 },
  };
  const index = join(data, 'own.json');
  writeAtomic(index, '{"0": []}');
  putRun(join(data, 'runs', 'a'), { ...tiger, seed: 1, inputs: { index: hashFile(index) } });
  putRun(join(data, 'runs', 'b'), { ...tiger, seed: 2, inputs: { index: hashFile(join(data, 'Toys.index.json')) } });
  const today = todayOf(await loadDataset(data));
  const usual = await sortRuns(findRuns(data, { baseline: 'tiger' }), today);
  expect([names(usual.fresh.map(({ run }) => run)), names(usual.stale)]).toEqual([['b'], ['a']]);
  const own = await sortRuns(findRuns(data, { baseline: 'tiger', options: { index } }), today);
  expect([names(own.fresh.map(({ run }) => run)), names(own.stale)]).toEqual([['a'], []]);
});

test('lists that are shorter than the metrics ask for are not taken', async () => {
  const data = toyFolder();
  const table = (metric: string): PaperTable => ({ ...TABLE, metrics: [metric], rows: [{ model: 'Popularity', run: { baseline: 'popularity' }, published: {} }] }); // prettier-ignore
  const row = async (metric: string) => (await fillTable('toys', table(metric), [await loadDataset(data)])).datasets[0]!.rows[0]!; // prettier-ignore
  await baselineStage({ baseline: 'popularity', data, topK: 2 });
  expect((await row('HR@2')).measured).toBeDefined();
  const short = await row('HR@3');
  expect(short.measured).toBeUndefined();
  expect(short.note).toBe(`its lists are shorter than 3; sidlab baseline popularity --data ${data}`);
  expect((await row('HR@60')).note).toMatch(/shorter than 60; .* --top-k 60$/);
  await baselineStage({ baseline: 'popularity', data });
  expect((await row('HR@60')).measured).toBeDefined(); // all four items
  const three = rows.filter(({ target, history }) => ![target, ...history].includes(3));
  writeAtomic(join(data, 'Toys.train.inter'), formatInter(three));
  await baselineStage({ baseline: 'popularity', data });
  expect((await row('HR@4')).measured).toBeDefined(); // as many as were seen in training
  writeAtomic(join(data, 'Toys.train.inter'), formatInter(rows));
  expect((await row('HR@3')).note).toMatch(/^its runs are of other data; /);
});
