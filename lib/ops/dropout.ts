/**
 * Dropout with masks of our own: seeded, since the engine's generator has a state that no checkpoint can hold. The same
 * bits are drawn by an operation of the engine, and in JavaScript where it has none.
 */
import * as tf from '@tensorflow/tfjs';
import type { Random, RandomState } from '../support/random.js';
import { masked } from './basic.js';
import { hasFused, runFused } from './fused.js';

/** Applied to the embeddings and to what every layer adds to the residual stream. */
export interface Dropout {
  (x: tf.Tensor2D): tf.Tensor2D;
  /** Remembers the masks that come next. @returns runs some work on them once more, and leaves those after it as they were */
  replay(): <T>(work: () => T) => T;
}

/** @param rate share of entries set to zero, in [0, 1); the others grow by 1 / (1 - rate) */
export function dropoutFrom(random: Random, rate: number): Dropout | undefined {
  if (rate === 0) return undefined;
  const apply = (x: tf.Tensor2D): tf.Tensor2D => masked(x, () => maskTensor<tf.Rank.R2>(random, x.shape, rate));
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

/** Where the mask of an attention's weights comes from. */
export interface MaskOfWeights {
  random: Random;
  /** Share of them that is dropped. */
  rate: number;
  /** How many there are. */
  size: number;
}

/** A new mask. */
export function maskTensor<R extends tf.Rank>(random: Random, shape: tf.ShapeMap[R], rate: number): tf.Tensor<R> {
  if (!hasFused('SidlabDropoutMask')) return tf.tensor(dropoutMask(random, tf.util.sizeFromShape(shape), rate), shape);
  const { scale, limit } = numbersOf(rate);
  const inputs = [
    tf.tensor1d(random.save(), 'int32'),
    tf.tensor1d(shape, 'int32'),
    tf.tensor1d([limit], 'int32'),
    tf.tensor1d([scale]),
  ];
  const [mask, after] = runFused('SidlabDropoutMask', inputs) as [tf.Tensor<R>, tf.Tensor1D];
  random.restore([...after.dataSync<'int32'>()] as RandomState);
  tf.dispose([...inputs, after]);
  return mask;
}

/** What is not dropped is multiplied by, and how many of 65,536 are dropped. */
function numbersOf(rate: number): { scale: number; limit: number } {
  return { scale: 1 / (1 - rate), limit: Math.round(rate * 65536) };
}

/** Two entries a draw, 16 bits each. */
export function dropoutMask(random: Random, size: number, rate: number): Float32Array {
  const mask = new Float32Array(size);
  const { scale, limit } = numbersOf(rate);
  for (let i = 0; i < size; i += 2) {
    const bits = random.next() * 4294967296;
    if ((bits & 0xffff) >= limit) mask[i] = scale;
    if (bits >>> 16 >= limit) mask[i + 1] = scale;
  }
  return mask;
}
