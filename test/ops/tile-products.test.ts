/**
 * The product of bfloat16 matrices in tile registers, x^T @ y: the processor's (AMX), else the same packing and blocking with
 * emulated ones. Against sums in double precision and TensorFlow's own product; this file has a process of its own, since the
 * operation is chosen when the engine loads.
 */
import * as tf from '@tensorflow/tfjs';
import fc from '../fast-check.js';
import { describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { kernelCounts } from '../../lib/engine/kernel-counts.js';
import { tilesInUse } from '../../lib/engine/native-ops.js';
import { fromBfloat16, matMulBfloat16, roundToBfloat16, toBfloat16 } from '../../lib/ops/bfloat16.js';
import { runFused } from '../../lib/ops/fused.js';
import { Random } from '../../lib/support/random.js';

const OP = 'SidlabTileProductTN';

process.env.SIDLAB_AMX = 'emulated';
await useEngine();

/** Factors [k, m] and [k, n], rounded to bfloat16, and what they come to. */
interface Case {
  x: Float32Array;
  y: Float32Array;
  k: number;
  truth: Float64Array;
  /** The sum of absolute products of each. */
  size: Float64Array;
}

function draw(m: number, k: number, n: number): Case {
  const random = new Random(`product ${m} ${k} ${n}`);
  const numbers = (count: number): Float32Array =>
    roundToBfloat16(Float32Array.from({ length: count }, () => random.normal()));
  const [x, y] = [numbers(k * m), numbers(k * n)];
  const [truth, size] = [new Float64Array(m * n), new Float64Array(m * n)];
  for (let l = 0; l < k; l++) {
    for (let i = 0; i < m; i++) {
      const factor = x[l * m + i]!;
      for (let j = 0; j < n; j++) {
        const term = factor * y[l * n + j]!;
        truth[i * n + j]! += term;
        size[i * n + j]! += Math.abs(term);
      }
    }
  }
  return { x, y, k, truth, size };
}

function factors({ x, y, k }: Case): [tf.Tensor2D, tf.Tensor2D] {
  const of = (numbers: Float32Array, columns: number): tf.Tensor2D =>
    toBfloat16(tf.tensor2d(numbers, [k, columns], 'float32'));
  return k === 0 ? [of(x, 20), of(y, 35)] : [of(x, x.length / k), of(y, y.length / k)];
}

function product(drawn: Case): Float32Array {
  return tf.tidy(() => fromBfloat16(runFused(OP, factors(drawn))[0]!).dataSync<'float32'>());
}

/** Half of bfloat16's last place, and what float32 sums lose. */
function expectNear(drawn: Case): void {
  const { truth, size } = drawn;
  const values = product(drawn);
  expect(values.length).toBe(truth.length);
  const wrong = values.findIndex(
    (v, i) => !(Math.abs(v - truth[i]!) <= Math.abs(truth[i]!) * 2 ** -8 + size[i]! * 2 ** -20),
  );
  expect(wrong < 0 ? undefined : { place: wrong, got: values[wrong], expected: truth[wrong] }).toBeUndefined();
}

describe.runIf(tilesInUse() !== 'none')('x^T @ y', () => {
  test('any shape, about the edges of tiles and panels', () => {
    const side = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(1, 15, 16, 17, 31, 32, 33, 64, 65));
    fc.assert(
      fc.property(side, side, side, (m, k, n) => expectNear(draw(m, k, n))),
      { numRuns: 60 },
    );
  });

  test.each([
    [200, 100, 40], // more rows than stay
    [33, 300, 150], // sums wait between parts of k
    [150, 280, 33],
    [3, 40, 900], // columns on several threads
    [900, 40, 3],
    [150, 110, 160], // both
  ])('%d x %d x %d: several blocks', (m, k, n) => expectNear(draw(m, k, n)));

  test('nothing to sum is zero, and nothing to compute is nothing', () => {
    expect([...product({ ...draw(20, 0, 35), k: 0 })]).toEqual(new Array(700).fill(0));
    expect(product(draw(0, 7, 35)).length).toBe(0);
    expect(product(draw(20, 7, 0)).length).toBe(0);
  });

  test('as near to the exact product as TensorFlow is', () => {
    const drawn = draw(64, 300, 48);
    const theirs = tf.tidy(() => fromBfloat16(tensorflowProduct(...factors(drawn))).dataSync<'float32'>());
    const error = (values: Float32Array): number =>
      values.reduce((sum, v, i) => sum + (v - drawn.truth[i]!) ** 2, 0) ** 0.5;
    expect(error(product(drawn))).toBeLessThan(1.1 * error(theirs));
  });

  test('what is not finite stays in its row', () => {
    const [m, k, n] = [50, 40, 70];
    const drawn = draw(m, k, n);
    drawn.x[5 * m + 20] = NaN;
    const rows = product(drawn).reduce(
      (rows, v, i) => (Number.isNaN(v) ? rows.add(Math.floor(i / n)) : rows),
      new Set(),
    );
    expect([...rows]).toEqual([20]);
    expect(product(drawn).filter(Number.isNaN).length).toBe(n);
  });

  test('what does not fit is refused', () =>
    tf.tidy(() => {
      const [x, y] = [tf.zeros([3, 4]), tf.zeros([5, 6])].map((t) => toBfloat16(t));
      expect(() => runFused(OP, [x!, y!])).toThrow(/^SidlabTileProductTN: expected y of shape \[K, N\] with K = 3/);
    }));

  test('the library takes it for this form, TensorFlow for the others', async () => {
    const half = tf.tidy(() => toBfloat16(tf.ones<tf.Rank.R2>([8, 8])));
    for (const [transposeA, transposeB] of [
      [true, false],
      [false, false],
      [false, true],
      [true, true],
    ] as const) {
      const { native, result } = await kernelCounts(() => matMulBfloat16(half, half, transposeA, transposeB));
      expect(native).toEqual({ [transposeA && !transposeB ? OP : 'MatMul']: 1 });
      result.dispose();
    }
    half.dispose();
  });
});

function tensorflowProduct(x: tf.Tensor, y: tf.Tensor): tf.Tensor {
  const backend = tf.backend() as unknown as {
    binding: Record<'TF_ATTR_BOOL' | 'TF_ATTR_TYPE', number>;
    executeSingleOutput(name: string, attributes: object[], inputs: tf.Tensor[]): tf.Tensor;
  };
  const { TF_ATTR_BOOL: type, TF_ATTR_TYPE } = backend.binding;
  const attributes = [
    { name: 'transpose_a', type, value: true },
    { name: 'transpose_b', type, value: false },
    { name: 'T', type: TF_ATTR_TYPE, value: 14 },
  ];
  return backend.executeSingleOutput('MatMul', attributes, [x, y]);
}
