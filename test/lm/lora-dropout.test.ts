/** The gradient of a matrix with its adapter, dropout included, against TensorFlow.js's own of the plain composition. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { parseShape } from '../../lib/lm/config.js';
import { parseLora } from '../../lib/lm/lora/lora-options.js';
import { addLora, withLoraDropout } from '../../lib/lm/lora/lora.js';
import { layerProduct } from '../../lib/lm/linear.js';
import type { AdaptedWeights } from '../../lib/lm/lora/adapted-weights.js';
import { factorName } from '../../lib/lm/lora/adapted-weights.js';
import { layerWeight } from '../../lib/lm/weight-names.js';
import { randomWeights } from '../../lib/lm/weights.js';
import { dropoutMask } from '../../lib/ops/dropout.js';
import { lowRankLinear } from '../../lib/ops/low-rank-linear.js';
import { Random } from '../../lib/support/random.js';

beforeAll(async () => void (await useEngine()));

const random = new Random('lora dropout');
const normal = (rows: number, columns: number): tf.Tensor2D =>
  tf.tensor2d(
    Float32Array.from({ length: rows * columns }, () => random.normal()),
    [rows, columns],
  );

test.each([0, 0.3, 0.9])('dropout %d: value, and gradients of x, A and B', (rate) => {
  const [tokens, width, rank, out, scale] = [7, 12, 3, 5, 0.7];
  const [x, weight, a, b] = [normal(tokens, width), normal(out, width), normal(rank, width), normal(out, rank)];
  const mask = tf.tensor2d(dropoutMask(new Random(1), tokens * width, rate), [tokens, width]);
  const dy = normal(tokens, out);
  const plain = (x: tf.Tensor, a: tf.Tensor, b: tf.Tensor): tf.Tensor => {
    const low = tf.matMul(tf.mul(x, mask), tf.transpose(a));
    const adapted = tf.mul(tf.matMul(low, tf.transpose(b)), scale);
    return tf.add(tf.matMul(x, tf.transpose(weight)), adapted);
  };
  const ours = (x: tf.Tensor, a: tf.Tensor, b: tf.Tensor): tf.Tensor =>
    lowRankLinear(x as tf.Tensor2D, weight, {
      a: a as tf.Tensor2D,
      b: b as tf.Tensor2D,
      scale,
      mask: () => mask.clone(),
    });
  close(ours(x, a, b), plain(x, a, b));
  const expected = tf.grads(plain)([x, a, b], dy);
  tf.grads(ours)([x, a, b], dy).forEach((gradient, i) => close(gradient, expected[i]!));
  if (rate > 0) {
    const without = tf.grads((x, a, b) =>
      lowRankLinear(x as tf.Tensor2D, weight, { a: a as tf.Tensor2D, b: b as tf.Tensor2D, scale }),
    )([x, a, b], dy);
    without.forEach((gradient, i) => expect(apart(gradient, expected[i]!)).toBeGreaterThan(0.1));
  }
});

test('in training a matrix has a mask of its own, scaled by 1 / (1 - rate); the next update another', () => {
  const config = parseShape('llama:32x1', 20, 0);
  const model = addLora(
    { config, weights: randomWeights(config, 1) },
    parseLora({ rank: 2, dropout: 0.25 }, '', false),
    1,
  );
  const name = layerWeight(0, 'self_attn.q_proj.weight');
  const b = model.weights.get(factorName(name, 'B'))!;
  tf.tidy(() => b.assign(normal(32, 2)));
  const x = normal(400, 32);
  const drawn = new Random(3);
  const masks = [0, 1].map(() => {
    const weights = withLoraDropout(model, drawn).weights as AdaptedWeights;
    const value = layerProduct({}, weights, name, x);
    const mask = weights.adapters!.mask!(name, [400, 32]);
    const a = model.weights.get(factorName(name, 'A'))!;
    const adapted = tf.matMul(tf.matMul(tf.mul(x, mask), a, false, true), b, false, true);
    const plain = tf.matMul(x, model.weights.get(name)! as unknown as tf.Tensor2D, false, true);
    close(value, tf.add(plain, tf.mul(adapted, 32 / 2)));
    const entries = mask.dataSync();
    for (const entry of new Set(entries)) expect([0, Math.fround(1 / 0.75)]).toContain(entry);
    const kept = entries.filter((entry) => entry > 0).length / entries.length;
    expect(Math.abs(kept - 0.75)).toBeLessThan(0.02);
    expect([...weights.adapters!.mask!(layerWeight(0, 'mlp.up_proj.weight'), [400, 32]).dataSync()]).not.toEqual([
      ...entries,
    ]);
    return [...entries];
  });
  expect(masks[0]).not.toEqual(masks[1]);
});

function apart(a: tf.Tensor, b: tf.Tensor): number {
  return tf.tidy(() => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]!);
}

function close(a: tf.Tensor, b: tf.Tensor): void {
  expect(a.shape).toEqual(b.shape);
  expect(apart(a, b)).toBeLessThan(1e-4);
}
