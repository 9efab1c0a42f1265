/** Rules of the loop, one at a time: patience, warm-up, ties, what is logged, when it validates. */
import * as tf from '@tensorflow/tfjs';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../../lib/engine/engine.js';
import { readMetrics } from '../../../lib/runs/metric-lines.js';
import { batchGradients } from '../../../lib/train/loop/gradients.js';
import { train } from '../../../lib/train/loop/train.js';
import { planSteps } from '../../../lib/train/loop/step-plan.js';
import { RunFolder } from '../../../lib/runs/run-folder.js';
import { Random } from '../../../lib/support/random.js';
import { newFolder, tinyModel, tinyTask, tokenizer, trainTiny, type TinyOptions } from '../tiny-task.js';

beforeAll(async () => void (await useEngine()));

/** Steps that were validated, and the report. */
async function validated(options: TinyOptions): Promise<{ at: number[]; steps: number; best: number }> {
  const folder = newFolder();
  const { steps, best } = await trainTiny(folder, options);
  const lines = readMetrics(join(folder, 'metrics.jsonl'));
  return { at: lines.filter((line) => 'valid figure' in line).map(({ step }) => step), steps, best: best.step };
}

test.each<[string, TinyOptions, { at: number[]; steps: number; best: number }]>([
  ['a new best starts patience anew', { figures: [2, 1, 3, 2, 1, 9] }, { at: [3, 6, 9, 12, 15], steps: 15, best: 9 }],
  ['a tie is no new best', { figures: [2, 2, 2, 9] }, { at: [3, 6, 9], steps: 9, best: 3 }],
  ['a negative figure can be the best', { figures: [-3, -2, -9, -9] }, { at: [3, 6, 9, 12], steps: 12, best: 6 }],
  [
    'the start counts where it is validated',
    { figures: [5, 1, 1], evalStart: true },
    { at: [0, 3, 6], steps: 6, best: 0 },
  ],
])('patience of 2: %s', async (_, options, expected) => {
  expect(await validated({ ...options, patience: 2 })).toEqual(expected);
});

test.each<[string, TinyOptions, number[]]>([
  ['every sixth of 8 a pass, and the last', { evalSteps: 6 }, [6, 12, 16]],
  ['the last of a whole number once', { evalSteps: 8 }, [8, 16]],
  ['patience 0 never stops', { evalSteps: 4, figures: [9, 8, 7, 6] }, [4, 8, 12, 16]],
  ['by epochs', { evalSteps: 0, evalEpochs: 0.5 }, [4, 8, 12, 16]],
  ['once an epoch by default', { evalSteps: 0 }, [8, 16]],
])('validates %s', async (_, options, at) => {
  expect((await validated(options)).at).toEqual(at);
});

test('what an update logs: step, epoch, rate with its warm-up, tokens so far, loss and norm of its batch', async () => {
  const folder = newFolder();
  const learningRate = 1e-2;
  await trainTiny(folder, { learningRate, schedule: 'linear', warmupSteps: 4, keepLast: true });
  const lines = readMetrics(join(folder, 'metrics.jsonl')).filter((line) => line.loss !== undefined);
  expect(lines.map(({ step }) => step)).toEqual(Array.from({ length: 16 }, (_, i) => i + 1));
  expect(lines.map(({ epoch }) => epoch)).toEqual([...Array<number>(8).fill(0), ...Array<number>(8).fill(1)]);
  const scales = [1, 2, 3, 4, ...Array.from({ length: 12 }, (_, i) => (4 * (12 - i)) / 12)];
  lines.forEach(({ rate }, i) => expect(rate! / learningRate).toBeCloseTo(scales[i]! / 4, 10));
  expect(existsSync(join(folder, 'last', 'model.safetensors'))).toBe(true);

  const model = tinyModel();
  const task = tinyTask(model);
  const batches = [0, 1].flatMap((epoch) => task.batches(epoch));
  let tokens = 0;
  batches.forEach((batch, i) => {
    tokens += batch.reduce((sum, text) => sum + text.tokens.length - 1, 0);
    expect(lines[i]!.tokens).toBe(tokens);
  });
  const first = batchGradients(model, (await task.objective(batches[0]!, new Random('7/train'), 1)).microBatches);
  const digits = tf.getBackend() === 'tensorflow' ? 6 : 3; // others sum with less care
  expect(lines[0]!.loss).toBeCloseTo(first.loss, digits);
  let squares = 0;
  for (const gradient of first.gradients.values()) gradient.dataSync().forEach((x) => (squares += x * x));
  expect(lines[0]!.norm).toBeCloseTo(Math.sqrt(squares), digits - 1);
  lines.forEach((line, i) => expect(line.seconds!).toBeGreaterThan(lines[i - 1]?.seconds ?? 0));
});

test('patience of 1 ends a run at the first validation that is no better', async () => {
  expect(await validated({ patience: 1, figures: [2, 3, 3, 9] })).toEqual({ at: [3, 6, 9], steps: 9, best: 6 });
});

test('a run of one update is one; of none there is nothing to train', async () => {
  expect(await validated({ epochs: 0.1 })).toEqual({ at: [1], steps: 1, best: 1 });
  const model = tinyModel();
  const run = new RunFolder(newFolder(), {});
  const options = { epochs: 1, learningRate: 1, schedule: 'constant', evalStart: false, bestMetric: 'figure' } as const;
  const none = train(model, tokenizer, { ...tinyTask(model), batches: () => [] }, run, {
    ...options,
    ...{ patience: 0, keep: 1, seed: 1 },
  });
  await expect(none).rejects.toThrow('sft: nothing to train on; is the training split empty?');
});

test.each([
  [2, 3, 'no checkpoint yet'],
  [5, 3, /the last good checkpoint is kept: .*checkpoint-3;/],
  [8, 1, /the last good checkpoint is kept: .*checkpoint-6;/],
  [8, 3, /the last good checkpoint is kept: .*checkpoint-6;/],
])(
  'a loss that is not finite at update %i of a run that keeps %i: the last checkpoint is named',
  async (nanAt, keep, message) => {
    await expect(trainTiny(newFolder(), { nanAt, keep })).rejects.toThrow(message);
  },
);

test.each<[Parameters<typeof planSteps>[1], batches: number, { total: number; warmup: number; evalSteps: number }]>([
  [{ epochs: 1 }, 10, { total: 10, warmup: 0, evalSteps: 10 }],
  [{ epochs: 1.26 }, 10, { total: 13, warmup: 0, evalSteps: 10 }],
  [{ epochs: 1, warmupRatio: 0.21 }, 10, { total: 10, warmup: 3, evalSteps: 10 }],
  [{ epochs: 1, warmupRatio: 1 }, 10, { total: 10, warmup: 10, evalSteps: 10 }],
  [{ epochs: 2, evalEpochs: 2 }, 10, { total: 20, warmup: 0, evalSteps: 20 }],
  [{ epochs: 2, evalSteps: 1, evalEpochs: 2 }, 10, { total: 20, warmup: 0, evalSteps: 1 }],
  [{ epochs: 2.5 }, 0, { total: 0, warmup: 0, evalSteps: 1 }],
])('a plan of %j with %i batches an epoch', (options, batches, plan) => {
  expect(planSteps(() => batches, options)).toEqual(plan);
});

test('epochs of different lengths: each counts its own batches, and the first decides when to validate', () => {
  const sizes = [10, 6, 1];
  const plan = (options: Parameters<typeof planSteps>[1]) => planSteps((epoch) => sizes[epoch]!, options);
  expect(plan({ epochs: 2, evalEpochs: 0.5 })).toEqual({ total: 16, warmup: 0, evalSteps: 5 });
  expect(plan({ epochs: 1.5 })).toEqual({ total: 13, warmup: 0, evalSteps: 10 });
  expect(plan({ epochs: 2.2 })).toEqual({ total: 17, warmup: 0, evalSteps: 10 }); // an update of an epoch of one
});

test.each<[Parameters<typeof planSteps>[1], string]>([
  [{ epochs: -1 }, '--epochs: expected a positive number, got -1'],
  [{ epochs: 1, warmupRatio: 1.01 }, '--warmup-ratio: expected a share in [0, 1], got 1.01'],
  [{ epochs: 1, warmupRatio: -0.1 }, '--warmup-ratio: expected a share in [0, 1], got -0.1'],
  [{ epochs: 1, warmupSteps: -1 }, '--warmup-steps: expected a whole number, got -1'],
  [{ epochs: 1, warmupRatio: 0.1, warmupSteps: 1 }, '--warmup-ratio: expected it or --warmup-steps, got both'],
  [{ epochs: 1, warmupSteps: 1.5 }, '--warmup-steps: expected a whole number, got 1.5'],
  [{ epochs: 1, evalSteps: -1 }, '--eval-steps: expected a whole number, got -1'],
  [{ epochs: 1, evalSteps: 0.5 }, '--eval-steps: expected a whole number, got 0.5'],
  [{ epochs: 1, evalEpochs: 0 }, '--eval-epochs: expected a positive number, got 0'],
])('a plan of %j is refused', (options, message) => {
  expect(() => planSteps(() => 3, options)).toThrow(message);
});
