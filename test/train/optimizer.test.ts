/** AdamW against PyTorch, alone and packed; clipping. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import type { Weights } from '../../lib/lm/weights.js';
import { Optimizer } from '../../lib/train/optim/optimizer.js';

beforeAll(async () => void (await useEngine()));

const GRADIENTS = [
  [0.1, -0.2, 0, 3],
  [-0.3, 0.5, 1e-6, -2],
  [0.7, 0.7, 0.2, 0.1],
];
// torch.optim.AdamW([p], lr=0.1, weight_decay=0.01), p = [[0.5, -1], [2, 0.25]], after these three gradients (torch 2.13)
const AFTER = [0.4055689573287964, -1.0128587484359741, 1.8568215370178223, 0.12207330763339996];

function matrices(names: string[]): Weights {
  return new Map(names.map((name) => [name, tf.variable(tf.tensor2d([0.5, -1, 2, 0.25], [2, 2]))]));
}

test.each([[['one']], [['one', 'two', 'three']]])("PyTorch's updates, %j packed together", (names) => {
  const weights = matrices(names);
  const optimizer = new Optimizer(weights, { weightDecay: 0.01, maxGradNorm: 0 });
  GRADIENTS.forEach((g, i) => {
    const gradients = new Map(names.map((name) => [name, tf.tensor2d(g, [2, 2]) as tf.Tensor]));
    optimizer.apply(gradients, i + 1, 0.1);
  });
  for (const weight of weights.values()) {
    weight.dataSync().forEach((x, i) => expect(x).toBeCloseTo(AFTER[i]!, 5));
  }
});

test.each(['adamw', 'muon'] as const)(
  'a weight at ten times the rate: as by itself at that rate, with %s',
  (optimizer) => {
    const names = ['a.layers.0.x', 'a.layers.1.x', 'other', 'third', 'fast'];
    const fast = ['a.layers.0.x', 'fast'];
    const all = matrices(names);
    const apart = matrices(names);
    const options = { optimizer, weightDecay: 0.01, maxGradNorm: 0 };
    const one = new Optimizer(all, { ...options, rates: Object.fromEntries(fast.map((name) => [name, 10])) });
    const slow = new Map([...apart].filter(([name]) => !fast.includes(name)));
    const two = [
      [new Optimizer(slow, options), 0.01],
      [new Optimizer(new Map([...apart].filter(([name]) => fast.includes(name))), options), 0.1],
    ] as const;
    GRADIENTS.forEach((g, i) => {
      const gradients = new Map(names.map((name) => [name, tf.tensor2d(g, [2, 2]) as tf.Tensor]));
      one.apply(gradients, i + 1, 0.01);
      for (const [alone, rate] of two) alone.apply(gradients, i + 1, rate);
    });
    for (const name of names) expect(all.get(name)!.arraySync(), name).toEqual(apart.get(name)!.arraySync());
    all
      .get('fast')!
      .dataSync()
      .forEach((x, i) => expect(x).toBeCloseTo(AFTER[i]!, 5));
  },
);

test('vectors do not decay; a missing gradient moves nothing but by decay', () => {
  const weights: Weights = new Map([
    ['vector', tf.variable(tf.tensor1d([1, 1]))],
    ['matrix', tf.variable(tf.ones([1, 2]))],
  ]);
  new Optimizer(weights, { weightDecay: 0.5 }).apply(new Map([['matrix', tf.zeros([1, 2])]]), 1, 0.1);
  expect([...weights.get('vector')!.dataSync()]).toEqual([1, 1]);
  expect(weights.get('matrix')!.dataSync()[0]).toBeCloseTo(0.95, 6);
});

test('a weight by itself without a gradient moves by decay alone', () => {
  const weights: Weights = new Map([['matrix', tf.variable(tf.ones([1, 2]))]]);
  const optimizer = new Optimizer(weights, { weightDecay: 0.5 });
  expect(optimizer.apply(new Map(), 1, 0.1)).toBe(0);
  expect(weights.get('matrix')!.dataSync()[0]).toBeCloseTo(0.95, 6);
});

test('the norm is that of all gradients together; what is not finite changes nothing', () => {
  const weights = matrices(['one', 'two']);
  const optimizer = new Optimizer(weights);
  const of = (x: number): Map<string, tf.Tensor> =>
    new Map([...weights.keys()].map((name) => [name, tf.fill([2, 2], x)]));
  expect(optimizer.apply(of(1), 1, 0.1)).toBeCloseTo(Math.sqrt(8), 5);
  const before = weights.get('one')!.arraySync();
  expect(optimizer.apply(of(NaN), 2, 0.1)).toBeNaN();
  expect(weights.get('one')!.arraySync()).toEqual(before);
});

test('gradients that are summed over processes are given away, those of one process are not', () => {
  for (const sumGradients of [(all: readonly tf.Tensor[]) => [...all], undefined]) {
    const weights = matrices(['one', 'two']);
    const optimizer = new Optimizer(weights, { ...(sumGradients && { sumGradients }) });
    const gradients = new Map(
      [...weights.keys()].map((name) => [name, tf.tensor2d(GRADIENTS[0]!, [2, 2]) as tf.Tensor]),
    );
    const before = tf.memory().numTensors;
    optimizer.apply(gradients, 1, 0.1);
    expect(tf.memory().numTensors - before).toBe(sumGradients ? -2 : 0);
    expect([...gradients.values()].map(({ isDisposed }) => isDisposed)).toEqual([!!sumGradients, !!sumGradients]);
  }
});
