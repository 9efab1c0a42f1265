/**
 * Dropout with masks of our own: seeded, and drawn in JavaScript at a few nanoseconds a number, since the engine's
 * generator has a state that no checkpoint can hold.
 */
import * as tf from '@tensorflow/tfjs';
import type { Random } from '../support/index.js';
import { masked } from './basic.js';

/** @param rate share of entries set to zero, in [0, 1); the others grow by 1 / (1 - rate) */
export function dropoutFrom(random: Random, rate: number): ((x: tf.Tensor2D) => tf.Tensor2D) | undefined {
  if (rate === 0) return undefined;
  return (x) => masked(x, () => tf.tensor2d(dropoutMask(random, x.size, rate), x.shape));
}

/** Two entries a draw, 16 bits each. */
export function dropoutMask(random: Random, size: number, rate: number): Float32Array {
  const mask = new Float32Array(size);
  const scale = 1 / (1 - rate);
  const limit = Math.round(rate * 65536);
  for (let i = 0; i < size; i += 2) {
    const bits = random.next() * 4294967296;
    if ((bits & 0xffff) >= limit) mask[i] = scale;
    if (bits >>> 16 >= limit) mask[i + 1] = scale;
  }
  return mask;
}
