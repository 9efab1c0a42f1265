/** The perceptrons of the RQ-VAE against plain numbers: forward with dropout, and every gradient against differences. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../../lib/engine/engine.js';
import type { NamedArray } from '../../../lib/files/safetensors.js';
import { mlpBackward, mlpForward, mlpInfer } from '../../../lib/sid/rqvae/mlp.js';
import { initialArrays, type Part, type RqVaeShape, toVariables, widths } from '../../../lib/sid/rqvae/parameters.js';
import { Random } from '../../../lib/support/random.js';

beforeAll(async () => void (await useEngine()));

type Matrix = number[][];
const ROWS = 6;
const random = new Random('mlp');
const draw = (rows: number, columns: number): Matrix => Array.from({ length: rows }, () => Array.from({ length: columns }, () => random.normal())); // prettier-ignore

function arraysOf(shape: RqVaeShape): Map<string, NamedArray> {
  const arrays = initialArrays(shape, 1);
  for (const [name, { data }] of arrays) data.forEach((_, i) => (data[i] = name.endsWith('running_var') ? 0.5 + random.next() : 0.7 * random.normal())); // prettier-ignore
  return arrays;
}

/** Numbers by name, copied, so that one can be moved a little. */
const plainOf = (arrays: ReadonlyMap<string, NamedArray>) => new Map([...arrays].map(([name, { data }]) => [name, [...data]])); // prettier-ignore

/** @param masks of each layer, as a factor of what it is given @param running with the running statistics */
function plain(shape: RqVaeShape, part: Part, of: Map<string, number[]>, x: Matrix, masks: Matrix[], running = false) {
  const sizes = widths(shape, part);
  let h = x;
  for (let i = 0; i + 1 < sizes.length; i++) {
    const at = i * (shape.batchNorm ? 4 : 3) + 1;
    const [weight, bias] = ['weight', 'bias'].map((name) => of.get(`${part}.mlp_layers.${at}.${name}`)!);
    h = h.map(
      (row, b) =>
      Array.from({ length: sizes[i + 1]! }, (_, o) => row.reduce((sum, value, k) => sum + value * masks[i]![b]![k]! * weight![o * row.length + k]!, bias![o]!)), // prettier-ignore
    );
    if (i + 2 === sizes.length) break;
    if (shape.batchNorm) {
      const norm = (name: string): number[] => of.get(`${part}.mlp_layers.${at + 1}.${name}`)!;
      const mean = h[0]!.map((_, o) => running ? norm('running_mean')[o]! : h.reduce((sum, row) => sum + row[o]!, 0) / h.length); // prettier-ignore
      const variance = h[0]!.map((_, o) => running ? norm('running_var')[o]! : h.reduce((sum, row) => sum + (row[o]! - mean[o]!) ** 2, 0) / h.length); // prettier-ignore
      h = h.map((row) => row.map((value, o) => ((value - mean[o]!) / Math.sqrt(variance[o]! + 1e-5)) * norm('weight')[o]! + norm('bias')[o]!)); // prettier-ignore
    }
    h = h.map((row) => row.map((value) => Math.max(0, value)));
  }
  return shape.residual ? h.map((row, b) => row.map((value, o) => value + x[b]![o]!)) : h;
}

const near = (found: ArrayLike<number>, wanted: readonly number[], what: string): void => {
  expect(found, what).toHaveLength(wanted.length);
  wanted.forEach((value, i) => expect(Math.abs(found[i]! - value), `${what} ${i}`).toBeLessThan(2e-4 * (1 + Math.abs(value)))); // prettier-ignore
};

const cases: [string, RqVaeShape][] = [
  ['plain', { input: 4, hidden: [5, 3], latent: 2, sizes: [2], batchNorm: false, residual: false }],
  ['batch normalisation', { input: 4, hidden: [5, 3], latent: 2, sizes: [2], batchNorm: true, residual: false }],
  ['residual', { input: 4, hidden: [5], latent: 4, sizes: [2], batchNorm: false, residual: true }],
  ['one layer', { input: 3, hidden: [], latent: 2, sizes: [2], batchNorm: true, residual: false }],
];

describe.each(cases)('%s', (_, shape) => {
  describe.each(['encoder', 'decoder'] as const)('%s', (part) => {
    const sizes = widths(shape, part);
    const arrays = arraysOf(shape);
    const [x, dy] = [draw(ROWS, sizes[0]!), draw(ROWS, sizes.at(-1)!)];
    const ones = sizes.map((width) => draw(ROWS, width).map((row) => row.map(() => 1)));
    const masks = sizes.map((width) => draw(ROWS, width).map((row) => row.map((value) => (value > 0.5 ? 0 : 1.4))));

    test.each(['without dropout', 'with dropout'])('forward and gradients %s', (dropout) => {
      const own = dropout === 'with dropout' ? masks : ones;
      const loss = (of: Map<string, number[]>, at = x): number =>
        plain(shape, part, of, at, own).reduce((sum, row, b) => sum + row.reduce((all, y, o) => all + y * dy[b]![o]!, 0), 0); // prettier-ignore
      const slope = (of: (step: number) => number): number => (of(1e-6) - of(-1e-6)) / 2e-6;
      tf.tidy(() => {
        const variables = toVariables(arrays);
        let layer = 0;
        const maskOf = (): tf.Tensor2D => tf.tensor2d(own[layer++]!);
        const rows = tf.tensor2d(x);
        const { out, tape } = mlpForward(shape, part, variables, rows, dropout === 'with dropout' ? maskOf : undefined);
        near(out.dataSync(), plain(shape, part, plainOf(arrays), x, own).flat(), 'out');
        const gradients = new Map<string, tf.Tensor>();
        const toInput = mlpBackward(shape, part, variables, tape, tf.tensor2d(dy), gradients, true);
        const byInput = x.flatMap((row, b) => row.map((value, k) => slope((step) => loss(plainOf(arrays), x.with(b, row.with(k, value + step)))))); // prettier-ignore
        near(toInput.dataSync(), byInput, 'input');
        const trained = [...arrays.keys()].filter((name) => name.startsWith(part) && !name.includes('running'));
        expect([...gradients.keys()].sort()).toEqual(trained.sort());
        for (const name of trained) {
          const moved = (i: number, step: number) => plainOf(arrays).set(name, [...arrays.get(name)!.data].with(i, arrays.get(name)!.data[i]! + step)); // prettier-ignore
          near(gradients.get(name)!.dataSync(), Array.from(arrays.get(name)!.data, (_, i) => slope((step) => loss(moved(i, step)))), name); // prettier-ignore
        }
        const again = new Map<string, tf.Tensor>();
        const given = tf.tensor2d(dy);
        expect(mlpBackward(shape, part, variables, tape, given, again, false)).toBe(given);
        for (const name of trained) expect(again.get(name)!.dataSync()).toEqual(gradients.get(name)!.dataSync());
      });
    });

    test('evaluated: no dropout, the running statistics', () => {
      tf.tidy(() => {
        const out = mlpInfer(shape, part, toVariables(arrays), tf.tensor2d(x));
        near(out.dataSync(), plain(shape, part, plainOf(arrays), x, ones, true).flat(), 'out');
      });
    });
  });
});
