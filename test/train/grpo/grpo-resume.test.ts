/**
 * A run of GRPO that is killed ends on the same bits as one that is not, whatever it keeps between updates: a rollout
 * that is trained on twice, a reference that follows, draws. The killed process is the built command.
 */
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { filterStage } from '../../../lib/data/filter/filter-stage.js';
import { writeSample } from '../../../lib/data/sample/sample.js';
import { embedItems } from '../../../lib/embed/embed-items.js';
import { useEngine } from '../../../lib/engine/engine.js';
import { hashFile } from '../../../lib/files/files.js';
import { readMetrics } from '../../../lib/runs/metric-lines.js';
import { sidStage } from '../../../lib/sid/sid-stage.js';
import { Random } from '../../../lib/support/random.js';
import type { GrpoOptions } from '../../../lib/train/grpo/grpo-options.js';
import { grpo } from '../../../lib/train/grpo/grpo.js';
import { sft } from '../../../lib/train/sft/sft.js';
import { expectBuilt, runAndKill } from './run-and-kill.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-grpo-resume-'));
let model: string;

beforeAll(async () => {
  expectBuilt();
  await useEngine();
  const { reviews, meta } = writeSample({ out: join(folder, 'raw'), size: 'tiny' });
  await filterStage({ reviews, meta, out: folder, dataset: 'tiny' });
  await embedItems({ data: folder });
  await sidStage({ embeddings: join(folder, 'tiny.emb-lsa.npy'), codebookSize: 8 });
  const start = { data: folder, index: join(folder, 'tiny.index.json'), run: join(folder, 'sft'), validRows: 10 };
  ({ model } = await sft({ ...start, model: 'qwen2:32x1', epochs: 2, batchSize: 8 }));
});

test.each<[string, Partial<GrpoOptions>]>([
  ['deterministic', {}],
  [
    'everything that is kept',
    {
      ...{ rollout: 'sample', numIterations: 2, reference: 'synchronised', syncSteps: 2, equalGroups: 'redraw' },
      ...{ normalize: 'legal', logRollouts: 2, tokenBudget: 200, evalSteps: 3, beta: 0.1, averageDecay: 0.8 },
    },
  ],
])('killed again and again, it ends on the same bits: %s', async (name, more) => {
  const options = (run: string): GrpoOptions => ({
    ...{ data: folder, index: join(folder, 'tiny.index.json'), run: join(folder, run), model, validRows: 10 },
    ...{
      sampleSize: 80,
      batchSize: 8,
      numGenerations: 4,
      learningRate: 1e-3,
      epochs: 1,
      evalSteps: 2,
      precision: 'float32',
    },
    ...{ keepLast: true, ...more },
  });
  const [one, other] = [`whole ${name}`, `killed ${name}`];
  const whole = await grpo(options(one));
  const random = new Random(name);
  let kills = 0;
  for (let tries = 0; tries < 9 && !existsSync(join(folder, other, 'card.json')); tries++) {
    const status = await runAndKill('grpo', options(other), kills < 2 ? 2 + random.int(7) : Infinity);
    if (status !== 0) kills++;
  }
  expect(kills).toBeGreaterThanOrEqual(2);
  const card = JSON.parse(readFileSync(join(folder, other, 'card.json'), 'utf8')) as { report: typeof whole };
  expect(card.report.best).toEqual(whole.best);
  for (const of of ['model', 'last']) {
    const [a, b] = [one, other].map((run) => hashFile(join(folder, run, of, 'model.safetensors')));
    expect(b, of).toBe(a);
  }
  const losses = (run: string): unknown[] =>
    readMetrics(join(folder, run, 'metrics.jsonl')).map(({ step, loss, norm, reward }) => [step, loss, norm, reward]);
  expect(losses(other)).toEqual(losses(one));
  if (more.logRollouts) {
    const [a, b] = [one, other].map((run) => readFileSync(join(folder, run, 'rollouts.jsonl'), 'utf8'));
    expect(b).toBe(a);
  }
});
