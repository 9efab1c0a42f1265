/** Muon against PyTorch's, and what its orthogonal update is. */
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import type { MuonScale } from '../../lib/ops/muon-scale.js';
import { muon, orthogonalize } from '../../lib/ops/muon.js';
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
