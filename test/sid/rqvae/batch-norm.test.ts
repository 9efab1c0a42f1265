/** Batch normalisation against plain numbers: of rows so near to each other that what is added to the variance counts. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../../lib/engine/engine.js';
import { batchNormBackward, batchNormForward, batchNormInfer } from '../../../lib/sid/rqvae/batch-norm.js';
import { Random } from '../../../lib/support/random.js';

beforeAll(async () => void (await useEngine()));

const WEIGHT = [2, -0.5, 0.75];
const BIAS = [0.1, 0.2, -0.3];
const RUNNING = { mean: [0.001, -0.002, 0.5], variance: [2e-6, 3e-5, 4] };

function parameters(): Map<string, tf.Variable> {
  const values = { weight: WEIGHT, bias: BIAS, running_mean: RUNNING.mean, running_var: RUNNING.variance };
  return new Map(Object.entries(values).map(([name, value]) => [`n.${name}`, tf.variable(tf.tensor1d(value))]));
}

/** Rows [B][3] of different means, spreads of a thousandth, a hundredth and 2. */
function cloud(rows: number): number[][] {
  const random = new Random(rows);
  return Array.from({ length: rows }, () => [0.001, 0.01, 2].map((spread, j) => j + spread * random.normal()));
}

const columnOf = (x: readonly number[][], j: number): number[] => x.map((row) => row[j]!);
const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const varianceOf = (values: readonly number[]): number => {
  const mean = meanOf(values);
  return meanOf(values.map((value) => (value - mean) ** 2));
};

function plainForward(x: readonly number[][]): number[][] {
  const [means, variances] = [meanOf, varianceOf].map((of) => [0, 1, 2].map((j) => of(columnOf(x, j))));
  return x.map((row) =>
    row.map((value, j) => (WEIGHT[j]! * (value - means![j]!)) / Math.sqrt(variances![j]! + 1e-5) + BIAS[j]!),
  );
}

/** Of the same size to a thousandth; numbers that may be near 0 to `absolute` besides. */
function expectClose(found: ArrayLike<number>, wanted: readonly number[], absolute = 0): void {
  expect(found).toHaveLength(wanted.length);
  wanted.forEach((value, at) => {
    expect(Math.abs(found[at]! - value)).toBeLessThan(1e-3 * Math.abs(value) + absolute);
  });
}

describe.each([2, 3, 17])('a batch of %i rows', (rows) => {
  const x = cloud(rows);

  test('is normalised by its own mean and biased variance; the running ones move by a tenth', () => {
    const own = parameters();
    const { out, tape } = batchNormForward('n', own, tf.tensor2d(x));
    expectClose(out.dataSync(), plainForward(x).flat(), 1e-4);
    expectClose(
      tape.inverse.dataSync(),
      [0, 1, 2].map((j) => 1 / Math.sqrt(varianceOf(columnOf(x, j)) + 1e-5)),
    );
    const moved = (old: number[], now: number[]) => old.map((value, j) => 0.9 * value + 0.1 * now[j]!);
    const means = [0, 1, 2].map((j) => meanOf(columnOf(x, j)));
    const unbiased = [0, 1, 2].map((j) => (varianceOf(columnOf(x, j)) * rows) / (rows - 1));
    expectClose(own.get('n.running_mean')!.dataSync(), moved(RUNNING.mean, means));
    expectClose(own.get('n.running_var')!.dataSync(), moved(RUNNING.variance, unbiased));
    tf.dispose([out, ...Object.values(tape), ...own.values()]);
  });

  test('gradients are those of differences', () => {
    const random = new Random(5);
    const dy = x.map((row) => row.map(() => random.normal()));
    const loss = (of: readonly number[][]): number =>
      plainForward(of).reduce((sum, row, i) => sum + row.reduce((all, y, j) => all + y * dy[i]![j]!, 0), 0);
    const own = parameters();
    const gradients = new Map<string, tf.Tensor>();
    const dx = tf.tidy(() => {
      const { tape } = batchNormForward('n', own, tf.tensor2d(x));
      const found = batchNormBackward('n', own, tape, tf.tensor2d(dy), gradients);
      for (const gradient of gradients.values()) tf.keep(gradient);
      return found;
    });
    const found = dx.dataSync();
    x.forEach((row, i) =>
      row.forEach((value, j) => {
        const step = 1e-6;
        const at = (to: number) => loss(x.with(i, row.with(j, to)));
        const slope = (at(value + step) - at(value - step)) / (2 * step);
        expect(Math.abs(found[3 * i + j]! - slope)).toBeLessThan(2e-3 * (1 + Math.abs(slope)));
      }),
    );
    const normal = plainForward(x).map((row) => row.map((y, j) => (y - BIAS[j]!) / WEIGHT[j]!));
    const sums = (of: (i: number, j: number) => number) =>
      [0, 1, 2].map((j) => x.reduce((sum, _, i) => sum + of(i, j), 0));
    const close = (name: string, wanted: number[]) =>
      gradients.get(name)!.dataSync().forEach((value, j) => expect(value).toBeCloseTo(wanted[j]!, 2)); // prettier-ignore
    close(
      'n.weight',
      sums((i, j) => dy[i]![j]! * normal[i]![j]!),
    );
    close(
      'n.bias',
      sums((i, j) => dy[i]![j]!),
    );
    tf.dispose([dx, ...gradients.values(), ...own.values()]);
  });
});

test('one row: nothing is unbiased by zero', () => {
  const own = parameters();
  const { out, tape } = batchNormForward('n', own, tf.tensor2d([[5, 6, 7]]));
  expectClose(out.dataSync(), BIAS);
  expectClose(
    own.get('n.running_var')!.dataSync(),
    RUNNING.variance.map((value) => 0.9 * value),
  );
  tf.dispose([out, ...Object.values(tape), ...own.values()]);
});

test('without training the running mean and variance normalise', () => {
  const own = parameters();
  const x = cloud(4);
  const out = batchNormInfer('n', own, tf.tensor2d(x));
  const wanted = x.map((row) =>
    row.map(
      (value, j) => (WEIGHT[j]! * (value - RUNNING.mean[j]!)) / Math.sqrt(RUNNING.variance[j]! + 1e-5) + BIAS[j]!,
    ),
  );
  expectClose(out.dataSync(), wanted.flat(), 1e-4);
  expectClose(own.get('n.running_mean')!.dataSync(), RUNNING.mean); // and stay what they are
  tf.dispose([out, ...own.values()]);
});
