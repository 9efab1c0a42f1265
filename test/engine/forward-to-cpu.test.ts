import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { forwardedKernels, forwardMissingKernels } from '../../lib/engine/forward-to-cpu.js';
import { kernelCounts } from '../../lib/engine/kernel-counts.js';

beforeAll(async () => {
  await useEngine('wasm');
});

/** The same work on wasm, which forwards, and on the best engine there is, which does not; both as plain numbers. */
async function onBoth(work: () => tf.Tensor): Promise<{ wasm: number[]; best: number[]; forwarded: object }> {
  const run = (): number[] => tf.tidy(() => Array.from(work().dataSync()));
  await useEngine('wasm');
  const { result: wasm, forwarded } = await kernelCounts(run);
  await useEngine('tensorflow').catch(() => useEngine('cpu'));
  return { wasm, best: run(), forwarded };
}

describe('kernels that wasm lacks', () => {
  test('UnsortedSegmentSum, and so the gradient of gather', async () => {
    const rows = () => tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]);
    const segments = () => tf.unsortedSegmentSum(rows(), tf.tensor1d([2, 0, 2], 'int32'), 4);
    const sums = await onBoth(segments);
    expect(sums.wasm).toEqual([3, 4, 0, 0, 6, 8, 0, 0]);
    expect(sums.wasm).toEqual(sums.best);
    expect(sums.forwarded).toEqual({ wasm: { UnsortedSegmentSum: 1 } });

    const gradient = await onBoth(() =>
      tf.grad((x) =>
        tf
          .gather(x, tf.tensor1d([0, 2, 2], 'int32'))
          .square()
          .sum(),
      )(rows()),
    );
    expect(gradient.wasm).toEqual([2, 4, 0, 0, 20, 24]);
    expect(gradient.forwarded).toEqual({ wasm: { UnsortedSegmentSum: 1 } });
  });

  test('Einsum, with the results of wasm as its inputs and its result used on wasm again', async () => {
    const einsum = () => {
      const a = tf.tensor([1, 2, 3, 4, 5, 6], [1, 2, 3]).mul(2) as tf.Tensor3D;
      const b = tf.range(0, 12).reshape([1, 3, 4]).add(1) as tf.Tensor3D;
      return tf.einsum('bij,bjk->bik', a, b).matMul(tf.ones([1, 4, 1]));
    };
    const { wasm, best, forwarded } = await onBoth(einsum);
    expect(wasm).toEqual(best);
    expect(wasm[0]).toBe(2 * (10 * 1 + 26 * 2 + 42 * 3));
    expect(forwarded).toEqual({ wasm: { Einsum: 1 } });
  });

  test('nothing stays behind, on wasm or on cpu', async () => {
    await useEngine('wasm');
    const cpu = tf.findBackend('cpu');
    const before = [tf.memory().numDataBuffers, cpu.numDataIds()];
    for (let i = 0; i < 5; i++) tf.tidy(() => tf.einsum('ij->ji', tf.ones([3, 2])).dataSync());
    expect([tf.memory().numDataBuffers, cpu.numDataIds()]).toEqual(before);
  });

  test('a second call forwards nothing twice', () => {
    const names = forwardedKernels('wasm');
    expect(names).toContain('UnsortedSegmentSum');
    expect(forwardMissingKernels('wasm')).toEqual(names);
  });
});
