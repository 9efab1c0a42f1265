/** Clipping by the global norm: one factor for every group of parameters, whatever updates them. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import type { Weights } from '../../lib/lm/weights.js';
import { Random } from '../../lib/support/random.js';
import { Optimizer, type OptimizerOptions } from '../../lib/train/optim/optimizer.js';

beforeAll(async () => void (await useEngine()));

/** A matrix of a layer, which Muon takes; one of no layer, and a vector: AdamW's. */
const SHAPES: Record<string, number[]> = {
  'model.layers.0.mlp.up_proj.weight': [3, 4],
  'model.layers.10.mlp.up_proj.weight': [4, 2],
  'model.embed_tokens.weight': [5, 2],
  'model.norm.weight': [4],
};
const NAMES = Object.keys(SHAPES);

function drawn(seed: string, scale: number): Map<string, tf.Tensor> {
  const random = new Random(seed);
  return new Map(
    NAMES.map((name) => {
      const size = SHAPES[name]!.reduce((product, n) => product * n, 1);
      const data = Float32Array.from({ length: size }, () => scale * random.normal());
      return [name, tf.tensor(data, SHAPES[name]!)];
    }),
  );
}

function norm(gradients: ReadonlyMap<string, tf.Tensor>): number {
  let sum = 0;
  for (const gradient of gradients.values()) gradient.dataSync().forEach((x) => (sum += x * x));
  return Math.sqrt(sum);
}

/** Weights and norms after some updates. */
function trained(updates: readonly ReadonlyMap<string, tf.Tensor>[], options: OptimizerOptions) {
  const weights: Weights = new Map([...drawn('weights', 1)].map(([name, tensor]) => [name, tf.variable(tensor)]));
  const optimizer = new Optimizer(weights, options);
  const norms = updates.map((gradients, i) => optimizer.apply(gradients, i + 1, 0.1));
  optimizer.dispose();
  return {
    weights: new Map([...weights].map(([name, weight]) => [name, weight.dataSync<'float32'>().slice()])),
    norms,
  };
}

function largestGap(a: ReadonlyMap<string, Float32Array>, b: ReadonlyMap<string, Float32Array>): Map<string, number> {
  return new Map(
    [...a].map(([name, values]) => [
      name,
      values.reduce((most, x, i) => Math.max(most, Math.abs(x - b.get(name)![i]!)), 0),
    ]),
  );
}

test.each(['adamw', 'muon'] as const)('%s: a clipped update is that of gradients scaled by hand', (optimizer) => {
  const [large, small] = [drawn('first', 2), drawn('second', 0.05)];
  const limit = 0.5;
  expect(norm(large)).toBeGreaterThan(10 * limit);
  expect(norm(small)).toBeLessThan(limit);
  const scaled = new Map([...large].map(([name, gradient]) => [name, tf.mul(gradient, limit / norm(large))]));
  const options = { optimizer, weightDecay: 0.1 };
  const clipped = trained([large, small, large], { ...options, maxGradNorm: limit });
  const byHand = trained([scaled, small, scaled], { ...options, maxGradNorm: 0 });
  const left = trained([large, small, large], { ...options, maxGradNorm: 0 });
  // the norms that are reported are those before clipping
  [large, small, large].forEach((gradients, i) => expect(clipped.norms[i]! / norm(gradients)).toBeCloseTo(1, 4));
  for (const [name, gap] of largestGap(clipped.weights, byHand.weights)) expect(gap, name).toBeLessThan(1e-4);
  for (const [name, gap] of largestGap(clipped.weights, left.weights)) expect(gap, name).toBeGreaterThan(1e-3);
});

test('the default norm is 1; gradients at or below the limit are left as they are', () => {
  const gradients = drawn('first', 1);
  const unit = new Map([...gradients].map(([name, gradient]) => [name, tf.mul(gradient, 0.999 / norm(gradients))]));
  const twice = new Map([...unit].map(([name, gradient]) => [name, tf.mul(gradient, 2)]));
  const small = drawn('second', 0.1);
  const plain = trained([unit, small], { maxGradNorm: 0 }).weights;
  expect(trained([unit, small], {}).weights).toEqual(plain);
  const gaps = largestGap(trained([twice, small], {}).weights, plain);
  expect(Math.max(...gaps.values())).toBeLessThan(1e-3); // 1.998 is scaled down to 1
  const free = largestGap(trained([twice, small], { maxGradNorm: 2 }).weights, plain);
  expect(Math.max(...free.values())).toBeGreaterThan(1e-2);
});

test('Muon takes the matrices of the layers, and nothing else', () => {
  const weights: Weights = new Map([...drawn('weights', 1)].map(([name, tensor]) => [name, tf.variable(tensor)]));
  const optimizer = new Optimizer(weights, { optimizer: 'muon' });
  expect([...optimizer.save().keys()].filter((name) => name.endsWith('.momentum'))).toEqual([
    'model.layers.0.mlp.up_proj.weight.momentum',
    'model.layers.10.mlp.up_proj.weight.momentum',
  ]);
  optimizer.dispose();
});
