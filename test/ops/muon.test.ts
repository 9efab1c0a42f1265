/** Muon against PyTorch's, and what its orthogonal update is. */
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import type { MuonScale } from '../../lib/ops/muon-scale.js';
import { muon, type MuonOptions, orthogonalize } from '../../lib/ops/muon.js';
import { Random } from '../../lib/support/random.js';
import { Optimizer } from '../../lib/train/optim/optimizer.js';

interface Case {
  scale: MuonScale;
  shape: [number, number];
  start: number[];
  gradients: number[][];
  after: number[][];
  inBfloat16: number;
}
const golden = JSON.parse(readFileSync(new URL('../golden/muon.json', import.meta.url), 'utf8')) as {
  rate: number;
  decay: number;
  cases: Case[];
};

beforeAll(async () => void (await useEngine()));

test.each(golden.cases)(
  "PyTorch's updates: $scale, $shape",
  ({ scale, shape, start, gradients, after, inBfloat16 }) => {
    const parameter = tf.variable(tf.tensor2d(start, shape)) as unknown as tf.Variable<tf.Rank.R2>;
    const momentum = tf.variable(tf.zeros(shape));
    let largest = 0;
    gradients.forEach((gradient, i) => {
      const options = { muonScale: scale, weightDecay: golden.decay };
      parameter.assign(muon(parameter, tf.tensor2d(gradient, shape), momentum, golden.rate, options));
      parameter.dataSync().forEach((x, j) => (largest = Math.max(largest, Math.abs(x - after[i]![j]!))));
    });
    expect(largest).toBeLessThan(1e-5);
    expect(largest).toBeLessThan(inBfloat16); // nearer to the exact iteration than PyTorch's own rounding
  },
);

test.each([
  [20, 8],
  [8, 20],
])('singular values of a random %i x %i end near one', (rows, columns) => {
  const random = new Random(1);
  const matrix = tf.tensor2d(
    Array.from({ length: rows * columns }, () => random.normal()),
    [rows, columns],
  );
  const x = orthogonalize(matrix);
  const gram = rows > columns ? tf.matMul(x, x, true) : tf.matMul(x, x, false, true); // eigenvalues: their squares
  const trace = tf.sum(tf.mul(gram, tf.eye(8))).dataSync()[0]!;
  expect(trace).toBeGreaterThan(8 * 0.7 ** 2);
  expect(trace).toBeLessThan(8 * 1.2 ** 2);
  expect(orthogonalize(tf.zeros([2, 3])).arraySync()).toEqual([
    [0, 0, 0],
    [0, 0, 0],
  ]);
});

test.each([
  [8, 8],
  [8, 20],
  [20, 8],
])('%i x %i: the singular vectors stay, whatever the size of the numbers', (rows, columns) => {
  const random = new Random(2);
  const matrix = tf.tensor2d(
    Array.from({ length: rows * columns }, () => random.normal()),
    [rows, columns],
  );
  const x = orthogonalize(matrix);
  // of M = U S V^T and X = U T V^T the product X^T M = V T S V^T is symmetric, and so is X M^T
  for (const product of [tf.matMul(x, matrix, true), tf.matMul(x, matrix, false, true)]) {
    expect(tf.max(tf.abs(tf.sub(product, tf.transpose(product)))).dataSync()[0]).toBeLessThan(1e-3);
  }
  for (const factor of [1e-4, 1e4]) {
    const scaled = orthogonalize(tf.mul(matrix, factor));
    expect(tf.max(tf.abs(tf.sub(scaled, x))).dataSync()[0]).toBeLessThan(1e-4);
  }
});

test('defaults: momentum 0.95, the scale of AdamW, no decay', () => {
  const random = new Random(4);
  const draw = (): tf.Tensor2D => tf.tensor2d(Array.from({ length: 12 }, () => random.normal()), [3, 4]); // prettier-ignore
  const [start, first, second] = [draw(), draw(), draw()];
  const run = (options: MuonOptions): number[][] => {
    const momentum = tf.variable(tf.zeros([3, 4]));
    return muon(muon(start, first, momentum, 0.1, options), second, momentum, 0.1, options).arraySync();
  };
  expect(run({})).toEqual(run({ momentum: 0.95, muonScale: 'rms', weightDecay: 0 }));
  for (const other of [{ momentum: 0.5 }, { muonScale: 'spectral' }, { weightDecay: 1 }] as MuonOptions[]) {
    expect(run(other)).not.toEqual(run({}));
  }
  const still = tf.variable(tf.zeros([3, 4]));
  const decayed = muon(start, tf.zeros([3, 4]), still, 0.1, { weightDecay: 1 });
  expect(tf.max(tf.abs(tf.sub(decayed, tf.mul(start, 0.9)))).dataSync()[0]).toBeLessThan(1e-6);
});

test("the matrices of the layers are Muon's, everything else is AdamW's", () => {
  const names = ['model.embed_tokens.weight', 'model.layers.0.mlp.up_proj.weight', 'model.layers.0.norm.weight'];
  const shapes = [[4, 2], [4, 2], [2]];
  const weightsOf = (): Map<string, tf.Variable> =>
    new Map(names.map((name, i) => [name, tf.variable(tf.ones(shapes[i]!))]));
  const gradients = new Map(
    names.map((name, i) => [name, tf.range(1, 1 + shapes[i]!.reduce((a, b) => a * b)).reshape(shapes[i]!)]),
  );
  const [one, other] = [weightsOf(), weightsOf()];
  const [mixed, plain] = [
    new Optimizer(one, { optimizer: 'muon', maxGradNorm: 0 }),
    new Optimizer(other, { maxGradNorm: 0 }),
  ];
  for (const optimizer of [mixed, plain]) optimizer.apply(gradients, 1, 0.1);
  const same = names.map((name) => one.get(name)!.dataSync().join() === other.get(name)!.dataSync().join());
  expect(same).toEqual([true, false, true]);
  expect([...mixed.save().keys()]).toEqual([
    'model.embed_tokens.weight.m',
    'model.embed_tokens.weight.v',
    'model.layers.0.mlp.up_proj.weight.momentum',
  ]);
  expect(() => new Optimizer(one, { optimizer: 'sgd' as 'muon' })).toThrow(
    '--optimizer: expected one of adamw, muon, got sgd',
  );
});
