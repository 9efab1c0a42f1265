/** Products of two matrices go to TensorFlow's MatMul, all others to its batched product; both are right. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';

beforeAll(async () => void (await useEngine()));

const [M, K, N] = [3, 5, 4];

describe.each([
  [false, false],
  [false, true],
  [true, false],
  [true, true],
])('transposed: %j, %j', (transposeA, transposeB) => {
  const at = (rows: number, columns: number, turned: boolean): [number, number] =>
    turned ? [columns, rows] : [rows, columns];

  test.each(['float32', 'int32'] as const)('%s', (dtype) => {
    const [a, b] = [at(M, K, transposeA), at(K, N, transposeB)];
    const numbers = (shape: number[]): number[] => Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => ((i * 7) % 11) - 5); // prettier-ignore
    const [x, y] = [numbers(a), numbers(b)];
    const one = (i: number, k: number): number => (transposeA ? x[k * M + i]! : x[i * K + k]!);
    const other = (k: number, j: number): number => (transposeB ? y[j * K + k]! : y[k * N + j]!);
    const truth = Array.from({ length: M * N }, (_, at) => Array.from({ length: K }, (_, k) => one(Math.floor(at / N), k) * other(k, at % N)).reduce((p, q) => p + q, 0)); // prettier-ignore
    tf.tidy(() => {
      const plain = tf.matMul(tf.tensor2d(x, a, dtype), tf.tensor2d(y, b, dtype), transposeA, transposeB);
      expect(plain.shape).toEqual([M, N]);
      expect([...plain.dataSync()]).toEqual(truth);
      const batched = tf.matMul(
        tf.tensor3d(x, [1, ...a], dtype),
        tf.tensor3d(y, [1, ...b], dtype),
        transposeA,
        transposeB,
      );
      expect(batched.shape).toEqual([1, M, N]);
      expect([...batched.dataSync()]).toEqual(truth);
    });
  });
});

test('matrices without rows, and those that do not fit', () => {
  tf.tidy(() => {
    expect(tf.matMul(tf.zeros([0, 3]), tf.ones([3, 2])).shape).toEqual([0, 2]);
    expect([...tf.matMul(tf.zeros([2, 0]), tf.zeros([0, 2])).dataSync()]).toEqual([0, 0, 0, 0]);
    expect(() => tf.matMul(tf.ones([2, 3]), tf.ones([2, 3]))).toThrow();
  });
});
