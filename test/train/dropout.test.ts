/** Dropout while training: what is dropped, how the rest grows, and whose masks a batch draws. */
import * as tf from '@tensorflow/tfjs';
import { afterAll, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { parseShape } from '../../lib/lm/config.js';
import { addLora } from '../../lib/lm/lora/lora.js';
import { parseLora } from '../../lib/lm/lora/lora-options.js';
import { disposeWeights, randomWeights } from '../../lib/lm/weights.js';
import { dropoutFrom, dropoutMask } from '../../lib/ops/dropout.js';
import { Random } from '../../lib/support/random.js';
import type { Example } from '../../lib/tasks/examples.js';
import { batchGradients } from '../../lib/train/loop/gradients.js';
import { sftMicroBatches } from '../../lib/train/sft/micro-batches.js';

await useEngine();

const config = parseShape('qwen2:32x1', 20, 0);
const model = { config, weights: randomWeights(config, 1) };
afterAll(() => disposeWeights(model.weights));

test.each([0.1, 0.25, 0.5, 0.9])('a share of %f is dropped, the others grow by 1 / (1 - rate)', (rate) => {
  const size = 100_001; // odd: two entries a draw
  const mask = dropoutMask(new Random('mask'), size, rate);
  expect(new Set(mask)).toEqual(new Set([0, Math.fround(1 / (1 - rate))]));
  for (const parity of [0, 1]) {
    const own = mask.filter((_, i) => i % 2 === parity);
    expect(Math.abs(own.filter((x) => x === 0).length / own.length - rate)).toBeLessThan(0.01);
  }
});

test('the mean over masks is the input; a rate of 0 is none', () => {
  expect(dropoutFrom(new Random(1), 0)).toBeUndefined();
  const dropout = dropoutFrom(new Random(1), 0.3)!;
  const x = tf.tensor2d([1, -2, 3, 0.5], [2, 2]);
  const mean = new Float64Array(4);
  for (let i = 0; i < 4000; i++) {
    const dropped = tf.tidy(() => dropout(x).dataSync());
    dropped.forEach((value, j) => (mean[j]! += value / 4000));
  }
  x.dataSync().forEach((value, j) => expect(Math.abs(mean[j]! / value - 1)).toBeLessThan(0.06));
});

test('the gradient goes through the mask that was drawn', () => {
  const dropout = dropoutFrom(new Random(2), 0.5)!;
  const x = tf.ones<tf.Rank.R2>([6, 5]);
  const { value, grad } = tf.valueAndGrad((given) => tf.sum(tf.mul(dropout(given as tf.Tensor2D), 3)))(x);
  const mask = grad.dataSync<'float32'>();
  expect(new Set(mask)).toEqual(new Set([0, 6]));
  expect(value.dataSync()[0]).toBeCloseTo(
    mask.reduce((sum, entry) => sum + entry, 0),
    4,
  );
});

const examples: Example[] = [3, 5, 4].map((length, i) => ({
  tokens: Array.from({ length }, (_, j) => (3 * i + j) % 20),
  labelPositions: [length - 1],
  labels: [i],
}));

test.each(['dropout of the model', 'dropout of the adapters'])('%s: drawn anew for each batch by the seed', (which) => {
  const own = which === 'dropout of the adapters';
  const lora = parseLora({ rank: 2, dropout: 0.5, modules: [] }, 'base', false);
  const trained = own ? addLora(model, lora, 1) : model;
  if (own) {
    for (const [name, weight] of trained.weights) {
      if (name.includes('lora_B')) weight.assign(tf.ones(weight.shape)); // 0 at the start, which no mask would change
    }
  }
  const loss = (random?: Random): number => {
    const options = { tokenBudget: 100, ...(own ? {} : { dropout: 0.5 }), ...(random && { random }) };
    const { loss, gradients } = batchGradients(trained, sftMicroBatches(trained, examples, options));
    tf.dispose([...gradients.values()]);
    return loss;
  };
  const random = new Random(3);
  const [first, second] = [loss(random), loss(random)];
  expect(loss(new Random(3))).toBe(first);
  expect(second).not.toBe(first);
  expect(loss()).toBe(loss()); // without a source of masks there are none
  expect(loss()).not.toBeCloseTo(first, 6);
});
