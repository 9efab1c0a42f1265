/**
 * Dropout with masks of our own: seeded, and drawn in JavaScript at a few nanoseconds a number, since the engine's
 * generator has a state that no checkpoint can hold.
 */
import * as tf from '@tensorflow/tfjs';
import type { Random } from '../support/random.js';
import { masked } from './basic.js';

/** Applied to the embeddings and to what every layer adds to the residual stream. */
export interface Dropout {
  (x: tf.Tensor2D): tf.Tensor2D;
  /** Remembers the masks that come next. @returns runs some work on them once more, and leaves those after it as they were */
  replay(): <T>(work: () => T) => T;
}

/** @param rate share of entries set to zero, in [0, 1); the others grow by 1 / (1 - rate) */
export function dropoutFrom(random: Random, rate: number): Dropout | undefined {
  if (rate === 0) return undefined;
  const apply = (x: tf.Tensor2D): tf.Tensor2D =>
    masked(x, () => tf.tensor2d(dropoutMask(random, x.size, rate), x.shape));
  return Object.assign(apply, { replay: () => replayOf(random) });
}

function replayOf(random: Random): <T>(work: () => T) => T {
  const then = random.save();
  return (work) => {
    const now = random.save();
    random.restore(then);
    try {
      return work();
    } finally {
      random.restore(now);
    }
  };
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
