/** Baselines of a pipeline: the options that reach them, and the protocol of the models that they stand beside. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { readResults } from '../../lib/evaluate/results-file.js';
import { readJson } from '../../lib/files/files.js';
import type { PipelineConfig } from '../../lib/pipeline/config.js';
import { dryRun } from '../../lib/pipeline/dry-run.js';
import { runPipeline } from '../../lib/pipeline/pipeline.js';
import { PipelineStages } from '../../lib/pipeline/stages.js';

const config: PipelineConfig = {
  out: mkdtempSync(join(tmpdir(), 'sidlab-pipeline-baselines-')),
  dataset: 'Sample',
  sample: { size: 'tiny' },
  evaluate: { excludeHistory: true },
  sasrec: { seed: 7 },
};

beforeAll(async () => {
  await useEngine();
  const stages = new PipelineStages(config);
  await stages.sample();
  await stages.filter();
});

test('where models are ranked without the items of the history, so are they', async () => {
  const { results } = await new PipelineStages(config).baseline('popularity');
  const lists = await readResults(results);
  expect(lists.every(({ items, history }) => items.every((item) => !history.includes(item)))).toBe(true);
  const { results: kept } = await new PipelineStages({ ...config, evaluate: {} }).baseline('popularity');
  const all = await readResults(kept);
  expect(all.some(({ items, history }) => items.some((item) => history.includes(item)))).toBe(true);
});

test('every one that is trained has the seed', async () => {
  await new PipelineStages(config).baseline('gru4rec');
  expect(readJson(join(config.out, 'runs', 'baseline-gru4rec', 'config.json'))).toMatchObject({ seed: 7 });
});

test('the report says what the protocol costs, as score does', async () => {
  const sft = { model: 'qwen2:32x1', epochs: 0.1, validRows: 4 };
  const small = { ...config, out: join(config.out, 'whole'), sid: { codebookSize: 8, levels: 2 }, sft };
  const report = await runPipeline({ ...small, evaluate: { numBeams: 4, excludeHistory: true } });
  expect(report.warnings.at(-1)).toMatch(/^\d+(\.\d)? % of the targets are in their history, which --exclude-history/);
}, 60_000);

test('a dry run names them', async () => {
  const { stages } = await dryRun({ ...config, baselines: ['popularity', 'sasrec', 'gru4rec'] });
  const found = stages.filter(({ stage }) => stage.startsWith('baseline'));
  expect(found).toEqual([
    { stage: 'baseline popularity', options: { excludeHistory: true } },
    { stage: 'baseline sasrec', options: { seed: 7, excludeHistory: true } },
    { stage: 'baseline gru4rec', options: { seed: 7, excludeHistory: true } },
  ]);
});

test('options of a SASRec are refused where nothing trains one', async () => {
  const wide = { ...config, sasrec: { seed: 7, width: 32 } };
  await expect(dryRun(wide)).rejects.toThrow('sasrec.width: expected sasrec among the baselines');
  for (const more of [
    { baselines: ['sasrec'] },
    { evaluate: { assistant: 'sasrec' } },
    { grpo: { reward: 'sasrec' } },
  ] as const) {
    await expect(dryRun({ ...wide, ...more } as PipelineConfig)).resolves.toBeDefined();
  }
  const own = { ...wide, grpo: { reward: 'sasrec', scorer: () => [] } };
  await expect(dryRun(own as unknown as PipelineConfig)).rejects.toThrow('sasrec.width');
  await expect(dryRun(config)).resolves.toBeDefined(); // the seed is every trained baseline's
});
