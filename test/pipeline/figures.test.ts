/** The pipeline's figures: the kit's list, and one of your own beside it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Row } from '../../lib/data/dataset.js';
import { formatInter } from '../../lib/data/inter-file.js';
import { formatItems } from '../../lib/data/item-file.js';
import { writeIndex } from '../../lib/data/sid-index.js';
import type { Figure } from '../../lib/figures/figure.js';
import { PIPELINE_FIGURES, type PipelineFigure, pipelineFigures } from '../../lib/pipeline/pipeline-figures.js';
import type { PipelineStages } from '../../lib/pipeline/stages.js';

const out = mkdtempSync(join(tmpdir(), 'sidlab-figures-'));
afterAll(() => rmSync(out, { recursive: true }));
const train: Row[] = [
  { user: 'u', history: [0], target: 1 },
  { user: 'u', history: [0, 1], target: 1 },
];
const rows = [{ model: 'sft', 'HR@5': 0.2, 'HR@10': 0.3, 'NDCG@10': 0.1 }];
const stages = (grpo?: object): PipelineStages =>
  ({ config: { out, dataset: 'Toys', grpo }, index: join(out, 'Toys.index.json'), runs: out }) as PipelineStages;

beforeAll(() => {
  const items = [0, 1].map((i) => ({ title: `item ${i}`, description: '', brand: '', categories: '' }));
  writeFileSync(join(out, 'Toys.item.json'), formatItems(items));
  for (const split of ['train', 'valid', 'test']) {
    writeFileSync(join(out, `Toys.${split}.inter`), formatInter(split === 'train' ? train : []));
  }
  writeIndex(join(out, 'Toys.index.json'), [['<a_0>', '<b_0>'], ['<a_0>', '<b_1>']]); // prettier-ignore
  for (const run of ['sft', 'grpo']) {
    mkdirSync(join(out, run));
    const lines = [1, 2].map((step) => JSON.stringify({ step, loss: 1 / step, reward: step, 'valid NDCG@10': 0.1 }));
    writeFileSync(join(out, run, 'metrics.jsonl'), lines.map((line) => `${line}\n`).join(''));
  }
});

test('the kit’s figures in their order; that of GRPO only where it ran', async () => {
  const names = PIPELINE_FIGURES.map(({ name }) => name);
  expect(names).toEqual(['item-popularity', 'history-lengths', 'sid-usage', 'sft-loss', 'results', 'grpo-reward']);
  expect(Object.keys(await pipelineFigures(stages({}), rows))).toEqual(names);
  expect(Object.keys(await pipelineFigures(stages(), rows))).toEqual(names.slice(0, -1));
});

test('one of your own is drawn from the same data', async () => {
  const mine: PipelineFigure = {
    name: 'repeats',
    draw: ({ dataset, index, rows, metrics }) => ({
      data: [{ type: 'bar', y: [dataset.train.length, index.length, rows.length, metrics.sft.length] }],
      layout: {},
    }),
  };
  const drawn = await pipelineFigures(stages(), rows, [...PIPELINE_FIGURES, mine]);
  expect(drawn.repeats!.data).toEqual([{ type: 'bar', y: [2, 2, 1, 2] }]);
  expect(Object.keys(drawn)).toHaveLength(6);
});

test('codes in use: of an index that counts from 1, and whose ranks are no level', async () => {
  const path = join(out, 'ranks.index.json');
  writeIndex(path, [['<a_1>', '<b_1>', '<c_1>'], ['<a_1>', '<b_1>', '<c_2>']]); // prettier-ignore
  const three = await pipelineFigures({ ...stages(), index: path } as PipelineStages, rows);
  const names = ({ data }: Figure) => data.map(({ name }) => name);
  expect(names(three['sid-usage']!)).toEqual(['level a: 1 of 1', 'level b: 1 of 1', 'level c: 2 of 2']);
  const items = [0, 1, 2].map((i) => ({ title: `item ${i}`, description: '', brand: '', categories: '' }));
  writeFileSync(join(out, 'More.item.json'), formatItems(items));
  for (const split of ['train', 'valid', 'test']) writeFileSync(join(out, `More.${split}.inter`), formatInter([]));
  writeIndex(path, [['<a_1>', '<b_1>', '<c_1>'], ['<a_1>', '<b_1>', '<c_2>'], ['<a_2>', '<b_1>']]); // prettier-ignore
  const more = { ...stages(), index: path, config: { out, dataset: 'More' } } as PipelineStages;
  expect(names((await pipelineFigures(more, rows))['sid-usage']!)).toEqual(['level a: 2 of 2', 'level b: 1 of 1']);
});
