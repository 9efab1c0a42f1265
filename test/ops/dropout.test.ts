/** Dropout's masks: how often, how large, and the same for value and gradient. */
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { kernelCounts } from '../../lib/engine/kernel-counts.js';
import { dropoutFrom, dropoutMask, maskTensor } from '../../lib/ops/dropout.js';
import { hasFused } from '../../lib/ops/fused.js';
import { Random } from '../../lib/support/random.js';

await useEngine();

describe('dropout', () => {
  test.each([0.1, 0.25, 0.5, 0.9])('rate %f: that share is zero, the others grow, the mean stays', (rate) => {
    const n = 40_001; // odd: the last number is one of a pair whose other is not there
    const mask = dropoutMask(new Random(`dropout ${rate}`), n, rate);
    expect(mask).toHaveLength(n);
    expect(new Set(mask)).toEqual(new Set([0, Math.fround(1 / (1 - rate))]));
    const share = (of: (i: number) => boolean): number => {
      const some = mask.filter((_, i) => of(i));
      return some.filter((x) => x === 0).length / some.length;
    };
    const error = 4 * Math.sqrt((rate * (1 - rate)) / (n / 2));
    expect(Math.abs(share((i) => i % 2 === 0) - rate)).toBeLessThan(error); // each half of a draw
    expect(Math.abs(share((i) => i % 2 === 1) - rate)).toBeLessThan(error);
    const both = Array.from({ length: (n - 1) / 2 }, (_, i) => mask[2 * i] === 0 && mask[2 * i + 1] === 0);
    expect(Math.abs(both.filter(Boolean).length / both.length - rate * rate)).toBeLessThan(error); // independent
    const mean = mask.reduce((total, x) => total + x, 0) / n;
    expect(Math.abs(mean - 1)).toBeLessThan(error / (1 - rate));
  });

  test('two numbers a draw, by 16 bits each: kept from the rate on', () => {
    const draws = (...bits: number[]): Random => ({ next: () => bits.shift()! / 2 ** 32 }) as Random;
    const pair = (high: number, low: number): number => high * 65536 + low;
    const mask = (size: number, rate: number, ...bits: number[]): number[] => [
      ...dropoutMask(draws(...bits), size, rate),
    ];
    expect(mask(4, 0.5, pair(32768, 32767), pair(32767, 32768))).toEqual([0, 2, 2, 0]);
    expect(mask(5, 0.25, pair(16384, 16383), pair(0, 65535), pair(0, 16384)).map(Boolean)).toEqual([false, true, true, false, true]); // prettier-ignore
    for (const [size, count] of [[0, 0], [1, 1], [4, 2], [5, 3]]) {
      const [one, other] = [new Random(5), new Random(5)];
      dropoutMask(one, size!, 0.5);
      for (let i = 0; i < count!; i++) other.next();
      expect(one.save()).toEqual(other.save());
    } // prettier-ignore
  });

  test.each([[[0]], [[1]], [[7, 9]], [[2, 3, 4]], [[64, 128]]])(
    'the engine draws the bits of JavaScript: %j',
    (shape) => {
      for (const rate of [0.1, 0.5, 0.999]) {
        const [one, other] = [new Random(`${shape} ${rate}`), new Random(`${shape} ${rate}`)];
        const mask = maskTensor(one, shape as [number], rate);
        expect(mask.shape).toEqual(shape);
        expect(mask.dataSync()).toEqual(dropoutMask(other, mask.size, rate));
        expect(one.save()).toEqual(other.save());
        expect([one.next(), one.next()]).toEqual([other.next(), other.next()]);
        mask.dispose();
      }
    },
  );

  test.runIf(hasFused('SidlabDropoutMask'))('the engine has an operation for it, which is what draws', async () => {
    const random = new Random('native');
    const { own } = await kernelCounts(() => maskTensor(random, [3, 5], 0.5).dispose());
    expect(own.tensorflow!.SidlabDropoutMask).toBe(1);
  });

  test('value and gradient are multiplied with the same mask', () => {
    const apply = dropoutFrom(new Random('mask'), 0.5)!;
    tf.tidy(() => {
      const x = tf.randomNormal([30, 7], 0, 1, 'float32', 4) as tf.Tensor2D;
      let value: tf.Tensor | undefined;
      const gradient = tf.grad((given: tf.Tensor) => tf.keep((value = apply(given as tf.Tensor2D))))(x);
      expect(tf.max(tf.abs(tf.sub(value!, tf.mul(x, gradient)))).dataSync()[0]).toBeLessThan(1e-6);
      expect(new Set(gradient.dataSync())).toEqual(new Set([0, 2]));
      value!.dispose();
    });
  });

  test('a rate of zero is no dropout', () => expect(dropoutFrom(new Random(1), 0)).toBeUndefined());
});
