/** A small data folder and table for the tests of this folder. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Row } from '../../lib/data/dataset.js';
import { formatInter } from '../../lib/data/inter-file.js';
import { formatItems } from '../../lib/data/item-file.js';
import { writeResults } from '../../lib/evaluate/results-file.js';
import { writeAtomic, writeJson } from '../../lib/files/files.js';
import type { PaperTable } from '../../lib/tables/paper-table.js';

/** Eight rows of as many users; targets are 0 to 3. */
export const rows = Array.from({ length: 8 }, (_, i): Row => {
  const target = i % 4;
  return { user: `U${i}`, history: [target % 3, (target + 1) % 3], target };
});

/** A data folder of four items, with the same rows in each split. */
export function toyFolder(name = 'Toys', dir = mkdtempSync(join(tmpdir(), 'sidlab-tables-'))): string {
  const item = (i: number) => ({ title: `item ${i}`, description: '', brand: '', categories: '' });
  writeAtomic(join(dir, `${name}.item.json`), formatItems([0, 1, 2, 3].map(item)));
  for (const split of ['train', 'valid', 'test']) writeAtomic(join(dir, `${name}.${split}.inter`), formatInter(rows));
  return dir;
}

/** Writes a run's folder: what it says of itself, and whole lists of which the first so many are right. */
export function putRun(folder: string, config: object | undefined, right = 4, of: readonly Row[] = rows): void {
  if (config) writeJson(join(folder, 'config.json'), config);
  const lists = of.map((row, i) => ({ ...row, items: [0, 1, 2, 3].map((n) => (row.target + n + (i < right ? 0 : 1)) % 4) }));
  writeResults(join(folder, 'results.jsonl'), lists.map((list) => ({ ...list, scores: [3, 2, 1, 0] })));
} // prettier-ignore

/** `config.json` of a SASRec at its defaults, as runs have it on disk. */
export const SASREC = {
  ...{ stage: 'baseline', baseline: 'sasrec', data: 'Toys', rows: 8 },
  ...{ epochs: 200, batchSize: 256, learningRate: 0.001, weightDecay: 0, maxGradNorm: 0, dropout: 0.5, evalEpochs: 1 },
  ...{ bestMetric: 'NDCG@10', patience: 10, seed: 42, loss: 'cross-entropy', negatives: 1, droAlpha: 0, droBeta: 1 },
  ...{ width: 64, blocks: 2, heads: 2 },
};

/** Of two data sets, one of which has no folder. */
export const TABLE: PaperTable = {
  title: 'Toys & more',
  source: 'nobody',
  claim: 'made up',
  metrics: ['HR@1', 'NDCG@3'],
  datasets: [
    { name: 'Toys', label: 'Toys', rows: { test: 8 }, items: 4 },
    { name: 'Other', label: 'Other_set', rows: { test: 80 } },
  ],
  rows: [
    {
      model: 'Popularity',
      run: { baseline: 'popularity' },
      published: { Toys: { 'HR@1': 0.25, 'NDCG@3': [0.4, 0.5] } },
    },
    { model: 'Transition', run: { baseline: 'transition' }, published: { Toys: { 'HR@1': 0.5 } } },
    { model: 'SASRec', run: { baseline: 'sasrec' }, published: {} },
    { model: 'Large', needs: 'a GPU', command: 'sidlab sft --data DIR', published: { Toys: { 'HR@1': 0.9 } } },
  ],
};
