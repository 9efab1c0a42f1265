/** What a run will take: counted exactly where it can be, refused where it cannot fit. */
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { cutInto } from '../../lib/tasks/examples.js';
import type { BatchSizes } from '../../lib/train/loop/task.js';
import { estimateRun, estimateText, refuseIfTooLarge, type RunEstimate } from '../../lib/train/report/estimate.js';
import { liveBytes } from '../../lib/train/report/peak-memory.js';
import { type Text, tinyModel, tinyTask } from './tiny-task.js';

await useEngine();

test.runIf(tf.getBackend() === 'tensorflow')(
  'buffers count once, clones not at all, what was there before neither',
  () => {
    const before = tf.ones([1000]);
    const { peak, left, result } = liveBytes(() => {
      const a = tf.ones([100]);
      const b = a.clone();
      const c = tf.add(a, b);
      const d = tf.mul(c, a);
      tf.dispose([a, b, c, before]);
      return d;
    });
    expect(peak).toBe(1200);
    expect(left).toBe(400);
    result.dispose();
  },
);

/** Two parts a batch of four texts. */
const outline = (batch: Text[]): BatchSizes<Text[]> => ({
  tokens: cutInto(batch, 2).map((of) => of.reduce((sum, { tokens }) => sum + tokens.length - 1, 0)),
  examples: batch.length,
  first: (count) => batch.slice(0, count),
});

test('parameters, updates and tokens are exact', () => {
  const model = tinyModel();
  const task = tinyTask(model);
  const tokens = task.batches(0).flatMap((batch) => outline(batch).tokens);
  const estimate = estimateRun(model, task, outline, { epochs: 2.5 });
  const parameters = [...model.weights.values()].reduce((sum, { size }) => sum + size, 0);
  const perEpoch = tokens.reduce((a, b) => a + b, 0);
  expect(estimate).toMatchObject({ parameters, trainable: parameters, steps: 20, tokensPerEpoch: perEpoch });
  expect(estimate).toMatchObject({ largestPart: Math.max(...tokens), tokens: Math.round(2.5 * perEpoch) });
  expect(estimate.memory).toBeGreaterThan(3 * 4 * parameters); // gradient and two moments
  expect(estimate.seconds).toBeGreaterThan(0);
});

test('a moving average is one copy more of what is trained', () => {
  const model = { ...tinyModel(), trainable: new Set(['model.norm.weight', 'model.layers.0.mlp.up_proj.weight']) };
  const bytes = [...model.trainable].reduce((sum, name) => sum + 4 * model.weights.get(name)!.size, 0);
  const [without, with_] = [0, 0.9].map((averageDecay) => {
    return estimateRun(model, tinyTask(model), outline, { epochs: 1, averageDecay }).fixedBytes;
  });
  expect(with_! - without!).toBe(bytes);
});

test('only what is trained needs gradients and moments; Muon keeps one of them', () => {
  const model = tinyModel();
  const of = (trainable: string[] | undefined, optimizer: 'adamw' | 'muon'): number => {
    const part = trainable ? { ...model, trainable: new Set(trainable) } : model;
    return estimateRun(part, tinyTask(part), outline, { epochs: 1, optimizer }).memory;
  };
  expect(of(['model.norm.weight'], 'adamw')).toBeLessThan(of(undefined, 'muon'));
  expect(of(undefined, 'muon')).toBeLessThan(of(undefined, 'adamw'));
});

const estimate: RunEstimate = {
  ...{
    parameters: 494e6,
    trainable: 494e6,
    steps: 1170,
    epochs: 30,
    tokensPerEpoch: 3.4e6,
    tokens: 102e6,
    largestPart: 8192,
  },
  ...{ memory: 20 * 2 ** 30, freeBytes: 10 * 2 ** 30, fixedBytes: 4 * 2 ** 30, seconds: 3700 },
};

test('a run that cannot fit is refused with what would make it fit', () => {
  refuseIfTooLarge('sft', { ...estimate, freeBytes: 21 * 2 ** 30 });
  expect(() => refuseIfTooLarge('sft', estimate)).toThrow(
    'sft: needs about 20 GiB more memory, 10 GiB are free; --token-budget 2560 would fit',
  );
  expect(() => refuseIfTooLarge('sft', { ...estimate, fixedBytes: 10 * 2 ** 30 })).toThrow(
    'sft: needs about 20 GiB more memory, 10 GiB are free; --lora or --freeze trains fewer weights, --model a smaller one',
  );
});

test('in a sentence', () => {
  expect(estimateText('sft', estimate)).toBe(
    'sft: 494 M parameters, all of them trained; 1170 updates in 30 epochs of 3.4 M tokens, 102 M in all, at most 8192 at once; ' +
      'about 20 GiB more memory (10 GiB free), about 1 h 1 min and validation',
  );
});
