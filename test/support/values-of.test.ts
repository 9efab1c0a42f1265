/** Numbers that are read off the engine. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { valuesOf, wholeNumbersOf } from '../../lib/support/values-of.js';

beforeAll(async () => void (await useEngine()));

test('values come out, tensors do not', () => {
  const x = tf.tensor2d([1, 2, 3, 4], [2, 2]);
  const before = tf.memory().numTensors;
  expect(valuesOf(() => tf.matMul(x, tf.add(x, 1)))).toEqual(Float32Array.of(10, 13, 22, 29));
  expect(wholeNumbersOf(() => tf.argMax(x, 1))).toEqual(Int32Array.of(1, 1));
  expect(valuesOf(() => x.clone())).toEqual(Float32Array.of(1, 2, 3, 4));
  expect(() => valuesOf(() => tf.matMul(x, tf.zeros([3, 3])))).toThrow();
  // more numbers than a Set holds, which is where tf.tidy gives up
  expect(valuesOf(() => tf.range(0, 2 ** 24 + 2))).toHaveLength(2 ** 24 + 2);
  expect(tf.memory().numTensors).toBe(before);
  expect(x.isDisposed).toBe(false);
  x.dispose();
});
