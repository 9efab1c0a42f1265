/** Baselines of a pipeline: the options that reach them, and the protocol of the models that they stand beside. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { configOf } from '../../lib/cli/pipeline-command.js';
import { useEngine } from '../../lib/engine/engine.js';
import { readResults } from '../../lib/evaluate/results-file.js';
import { readJson } from '../../lib/files/files.js';
import type { PipelineConfig } from '../../lib/pipeline/config.js';
import { dryRun } from '../../lib/pipeline/dry-run.js';
import { checkSasrec } from '../../lib/pipeline/reward-needs.js';
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

test('flags of a SASRec that nothing trains are refused', async () => {
  const flags = { out: config.out, data: [config.out], blocks: 1 };
  await expect(configOf(flags)).rejects.toThrow('sasrec.blocks: expected sasrec among the baselines');
  for (const more of [
    { baselines: ['sasrec'] },
    { assistant: 'sasrec' },
    { grpo: true, reward: 'sasrec' },
    { rounds: 2 }, // a strategy may ask for one
    { strategies: true },
  ]) {
    await expect(configOf({ ...flags, ...more }), JSON.stringify(more)).resolves.toMatchObject({
      sasrec: { blocks: 1 },
    });
  }
  const own = { ...config, sasrec: { width: 32 }, grpo: { reward: 'sasrec', scorer: () => [] } };
  expect(() => checkSasrec(own as unknown as PipelineConfig)).toThrow('sasrec.width');
  expect(() => checkSasrec(config)).not.toThrow(); // the seed is every trained baseline's
});
