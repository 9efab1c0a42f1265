/** What `--run` trains. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { baselineStage } from '../../lib/baselines/baseline-stage.js';
import { formatInter } from '../../lib/data/inter-file.js';
import { loadDataset } from '../../lib/data/load.js';
import { useEngine } from '../../lib/engine/engine.js';
import { writeAtomic } from '../../lib/files/files.js';
import { fillTable } from '../../lib/tables/fill-table.js';
import type { PaperTable } from '../../lib/tables/paper-table.js';
import { runMissing } from '../../lib/tables/run-missing.js';
import { rows, TABLE, toyFolder } from './toys.js';

const small = { epochs: 1, blocks: 1, heads: 1 };
const table: PaperTable = {
  ...TABLE,
  metrics: ['HR@3'],
  rows: [
    { model: 'narrow', run: { baseline: 'sasrec', options: { ...small, width: 2 } }, published: {} },
    { model: 'wide', run: { baseline: 'sasrec', options: { ...small, width: 4 } }, published: {} },
    { model: 'all', run: { baseline: 'item-knn' }, published: {} },
    { model: 'few', run: { baseline: 'item-knn', options: { neighbours: 1 } }, published: {} },
    { model: 'left', run: { baseline: 'item-knn', excludeHistory: true }, published: {} },
    {
      model: 'narrow, left',
      run: { baseline: 'sasrec', options: { ...small, width: 2 }, excludeHistory: true },
      published: {},
    },
  ],
};

test('each row is run where its options have no run of today, and nothing twice', async () => {
  await useEngine();
  const data = toyFolder();
  const folders = () => readdirSync(join(data, 'runs')).sort();
  const run = async () => runMissing(table, [await loadDataset(data)], [1]);
  const measured = async () =>
    (await fillTable('toys', table, [await loadDataset(data)])).datasets[0]!.rows.map((row) =>
      row.measured?.runs.map(({ folder }) => folder),
    );
  await run();
  const first = folders();
  const [counted, ownKnn, plain, ownSasrec] = first;
  expect([counted, plain]).toEqual(['baseline-item-knn', 'sasrec-1']);
  expect([ownKnn, ownSasrec].join()).toMatch(/^item-knn-[0-9a-f]{8},sasrec-[0-9a-f]{8}-1$/);
  const expected = [plain, ownSasrec, counted, ownKnn, counted, plain].map((name) => [join(data, 'runs', name!)]);
  expect(await measured()).toEqual(expected);
  const written = () =>
    [...first.map((name) => [name, 'results.jsonl']), [plain!, 'results-without-history.jsonl']].map(
      (path) => statSync(join(data, 'runs', ...path)).mtimeMs,
    );
  const before = written();
  await run();
  expect([folders(), written()]).toEqual([first, before]);

  const card = readFileSync(join(data, 'runs', plain!, 'card.json'), 'utf8');
  writeAtomic(join(data, 'Toys.train.inter'), formatInter(rows.slice(1)));
  expect(await measured()).toEqual(Array<undefined>(6).fill(undefined));
  await run();
  expect(folders()).toEqual([...first, `${plain}.before-1`, `${ownSasrec}.before-1`].sort());
  expect(readFileSync(join(data, 'runs', `${plain}.before-1`, 'card.json'), 'utf8')).toBe(card);
  expect(await measured()).toEqual(expected);
});

test('a model that is trained under any name is ranked, not trained again', async () => {
  await useEngine();
  const data = toyFolder();
  const options = { ...small, width: 2 };
  const named = join(data, 'runs', 'mine');
  await baselineStage({ baseline: 'sasrec', data, ...options, seed: 1, run: named });
  const left: PaperTable = { ...table, rows: table.rows.filter(({ model }) => model === 'narrow, left') };
  await runMissing(left, [await loadDataset(data)], [1]);
  expect(readdirSync(join(data, 'runs'))).toEqual(['mine']);
  expect(readdirSync(named)).toContain('results-without-history.jsonl');
  await runMissing(left, [await loadDataset(data)], [2]);
  expect(readdirSync(join(data, 'runs'))).toEqual(['mine', 'sasrec-2']);
});
