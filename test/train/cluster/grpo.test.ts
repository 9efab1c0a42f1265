/** GRPO by several processes of the built command: prompts are shared, groups known to all, updates those of one. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect } from 'vitest';
import { filterStage } from '../../../lib/data/filter/filter-stage.js';
import { writeSample } from '../../../lib/data/sample/sample.js';
import { embedItems } from '../../../lib/embed/embed-items.js';
import { useEngine } from '../../../lib/engine/engine.js';
import { hashFile } from '../../../lib/files/files.js';
import { readMetrics } from '../../../lib/runs/metric-lines.js';
import { sidStage } from '../../../lib/sid/sid-stage.js';
import { readRollouts } from '../../../lib/train/grpo/rollout/rollout-log.js';
import { sft } from '../../../lib/train/sft/sft.js';
import { clusterTest as test, type Ended, startAll } from '../../cluster/processes.js';
import { expectBuilt } from '../grpo/run-and-kill.js';
import { distance, killer, weightsOf } from './runs.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-cluster-grpo-'));
const at = (run: string): string => join(folder, run);
let model: string;

beforeAll(async () => {
  expectBuilt();
  await useEngine();
  const { reviews, meta } = writeSample({ out: join(folder, 'raw'), size: 'tiny' });
  await filterStage({ reviews, meta, out: folder, dataset: 'tiny' });
  await embedItems({ data: folder });
  await sidStage({ embeddings: join(folder, 'tiny.emb-lsa.npy'), codebookSize: 8 });
  const start = { data: folder, index: join(folder, 'tiny.index.json'), run: at('sft'), validRows: 10 };
  ({ model } = await sft({ ...start, model: 'qwen2:32x1', epochs: 2, batchSize: 8, precision: 'float32' }));
});

const flags = (run: string, ...more: string[]): string[] => [
  ...['dist/cli.js', 'grpo', '--data', folder, '--run', at(run), '--model', model, '--valid-rows', '10'],
  ...['--sample-size', '24', '--batch-size', '6', '--num-generations', '4', '--eval-steps', '3', '--keep-last'],
  ...['--precision', 'float32', '--log-rollouts', '6', '--learning-rate', '1e-3', '--json', ...more],
];

const grpo = (processes: number, run: string, ...more: string[]): Promise<Ended[]> =>
  startAll(processes, flags(run, ...more), processes === 1 ? { env: { TF_CONFIG: '' } } : {});

test('two processes end where one does, with its rewards and metrics', async () => {
  const [two, one] = [await grpo(2, 'two'), await grpo(1, 'one')];
  expect([...two, ...one].map(({ status, err }) => (status === 0 ? '' : err))).toEqual(['', '', '']);
  const far = distance(weightsOf(at('one')), weightsOf(at('two')));
  process.stdout.write(`two processes from one: ${far.toExponential(2)} in the norm\n`);
  expect(far).toBeLessThan(1e-6);
  const [a, b] = ['one', 'two'].map((run) => readMetrics(join(at(run), 'metrics.jsonl')));
  b!.forEach((line, i) => {
    const timed = Object.entries(line).filter(([name]) => !/seconds|tokens/.test(name));
    for (const [name, value] of timed) expect(value, name).toBeCloseTo(a![i]![name]!, 4);
  });
  const rollouts = (run: string): unknown[] =>
    readRollouts(at(run)).map(({ step, group, text, reward }) => [step, group, text, reward]);
  expect(rollouts('two')).toEqual(rollouts('one'));
  expect(rollouts('two').length).toBeGreaterThan(0);
});

test('what is kept between updates is known to all: killed, it ends on the same bits', async () => {
  const more = [
    ...['--rollout', 'sample', '--num-iterations', '2', '--reference', 'synchronised', '--sync-steps', '2'],
    ...['--equal-groups', 'redraw', '--beta', '0.1', '--average-decay', '0.5'],
  ];
  const whole = await grpo(2, 'whole', ...more);
  expect(whole.map(({ status, err }) => (status === 0 ? '' : err))).toEqual(['', '']);
  const killed = await startAll(2, flags('killed', ...more), killer(at('killed'), 1, 7));
  expect(killed.map(({ signal }) => signal)).toContain('SIGKILL');
  await grpo(2, 'killed', ...more);
  const [a, b] = ['whole', 'killed'].map((run) => hashFile(join(at(run), 'last/model.safetensors')));
  expect(b).toBe(a);
});
