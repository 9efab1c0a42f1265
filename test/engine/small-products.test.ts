/** Products of two small matrices are ours, all others TensorFlow's; both are right, and a signal does them no harm. */
import { spawn } from 'node:child_process';
import * as tf from '@tensorflow/tfjs';
import fc from '../fast-check.js';
import { expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { kernelCounts } from '../../lib/engine/kernel-counts.js';
import { hasFused } from '../../lib/ops/fused.js';
import { valuesOf } from '../../lib/support/values-of.js';

await useEngine();

/** Row-major, each number exact in float32. */
const numbers = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => ((i * 7 + seed * 13) % 23) - 11);

const ours = hasFused('SidlabMatMulNN');

const size = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constantFrom(1, 11, 12, 13, 31, 32, 33, 64, 65));

test.runIf(ours)('every shape and both ways of each factor, to the last bit of whole numbers', () => {
  fc.assert(
    fc.property(size, size, size, fc.boolean(), fc.boolean(), fc.nat(20), (m, k, n, transposeA, transposeB, seed) => {
      const [a, b] = [numbers(m * k, seed), numbers(k * n, seed + 1)];
      const truth = new Float32Array(m * n);
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          for (let l = 0; l < k; l++) {
            truth[i * n + j]! += a[transposeA ? l * m + i : i * k + l]! * b[transposeB ? j * k + l : l * n + j]!;
          }
        }
      }
      tf.tidy(() => {
        const x = tf.tensor2d(a, transposeA ? [k, m] : [m, k]);
        const y = tf.tensor2d(b, transposeB ? [n, k] : [k, n]);
        const product = tf.matMul(x, y, transposeA, transposeB);
        expect(product.shape).toEqual([m, n]);
        expect(product.dataSync()).toEqual(truth);
      });
    }),
    { numRuns: 300 },
  );
});

test.runIf(ours)('one that is too large for it, whole numbers and batches are those of the package', () => {
  tf.tidy(() => {
    const [a, b] = [tf.randomNormal([300, 200], 0, 1, 'float32', 1), tf.randomNormal([200, 150], 0, 1, 'float32', 2)];
    const large = tf.matMul(a, b).dataSync<'float32'>(); // 9 million multiplications
    const rows = tf.concat(tf.split(a, 3).map((part) => tf.matMul(part, b))).dataSync<'float32'>(); // 3 million each
    large.forEach((value, i) => expect(Math.abs(value - rows[i]!)).toBeLessThan(1e-4));
    expect([...tf.matMul(tf.tensor2d([1, 2], [1, 2], 'int32'), tf.tensor2d([3, 4], [2, 1], 'int32')).dataSync()]).toEqual([11]); // prettier-ignore
    const batch = tf.matMul(tf.tensor3d([1, 2, 3, 4], [2, 1, 2]), tf.tensor3d([5, 6, 7, 8], [2, 2, 1]));
    expect([...batch.dataSync()]).toEqual([17, 53]);
    expect(() => tf.matMul(tf.ones([2, 3]), tf.ones([2, 3]))).toThrow();
  });
});

test.runIf(ours)("below 2^23 multiplications it is ours, from there on the package's", async () => {
  const multiply = (rows: number) => (): void => {
    tf.tidy(() => void tf.matMul(tf.ones([rows, 1024]), tf.ones([1024, 128])));
  };
  const [below, at] = [await kernelCounts(multiply(63)), await kernelCounts(multiply(64))];
  expect([below.native.SidlabMatMulNN, below.native.BatchMatMulV2]).toEqual([1, undefined]);
  expect([at.native.SidlabMatMulNN, at.native.BatchMatMulV2]).toEqual([undefined, 1]);
});

test.runIf(ours)('signals that arrive while it multiplies change no number', async () => {
  let arrived = 0;
  const listen = (): void => void arrived++;
  process.on('SIGUSR2', listen);
  const wait = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0.1)'; // milliseconds
  const sender = spawn(process.execPath, ['-e', `for (;;) { process.kill(${process.pid}, 'SIGUSR2'); ${wait}; }`]);
  const [a, b] = [tf.randomNormal<tf.Rank.R2>([590, 128]), tf.randomNormal<tf.Rank.R2>([128, 110])];
  try {
    const bytesOf = (): Buffer => Buffer.from(valuesOf(() => tf.matMul(a, b)).buffer);
    const truth = bytesOf();
    while (arrived === 0) await new Promise(setImmediate);
    for (let block = 0; block < 20; block++) {
      for (let round = 0; round < 200; round++) {
        if (!bytesOf().equals(truth)) throw new Error(`another product in round ${round} of block ${block}`);
      }
      await new Promise(setImmediate);
    }
    expect(arrived).toBeGreaterThan(10);
  } finally {
    sender.kill('SIGKILL');
    process.off('SIGUSR2', listen);
    tf.dispose([a, b]);
  }
});
