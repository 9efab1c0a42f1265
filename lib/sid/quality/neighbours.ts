/**
 * The nearest neighbour of items by cosine, blocks of rows against all, on the engine.
 *
 * Shapes: N items, D width, B rows of a block.
 */
import * as tf from '@tensorflow/tfjs';
import type { Vectors } from '../../files/npy.js';
import { Random } from '../../support/random.js';

export interface NearestNeighboursOptions {
  /** Items to look at, drawn by the seed; all where there are fewer. Default 5000. */
  sample?: number;
  /** Default 42. */
  seed?: number;
}

const BLOCK = 512;

/** @param vectors [N, D] @returns pairs (item, its nearest other item), ties to the lower; none where N < 2 */
export function nearestNeighbours(vectors: Vectors, options: NearestNeighboursOptions = {}): [number, number][] {
  const { sample = 5000, seed = 42 } = options;
  const { rows, width, data } = vectors;
  if (rows < 2) return [];
  const items = [...Array(rows).keys()];
  const drawn = rows > sample ? new Random(seed).shuffle(items).slice(0, sample) : items;
  const all = tf.tidy(() => {
    const x = tf.tensor2d(data, [rows, width]);
    return tf.div<tf.Tensor2D>(x, tf.maximum(tf.norm(x, 2, 1, true), 1e-12));
  });
  const pairs: [number, number][] = [];
  for (let from = 0; from < drawn.length; from += BLOCK) {
    const block = drawn.slice(from, from + BLOCK);
    const nearest = tf.tidy(() => {
      const ids = tf.tensor1d(block, 'int32');
      const cosine = tf.matMul(tf.gather(all, ids), all, false, true); // [B, N]
      return tf.argMax(tf.sub(cosine, tf.mul(tf.oneHot(ids, rows), 4)), 1);
    });
    nearest.dataSync<'int32'>().forEach((other, i) => pairs.push([block[i]!, other]));
    nearest.dispose();
  }
  all.dispose();
  return pairs;
}
