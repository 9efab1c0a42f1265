/**
 * Rounds of k-means with the distances as one matrix product on the engine: fast, and exact to float32 only.
 *
 * Shapes: N rows, K codes, D width.
 */
import * as tf from '@tensorflow/tfjs';
import { rowOf, type Vectors } from '../embed/npy.js';
import { squaredDistance } from './distance.js';

/**
 * Lloyd's rounds until no row changes its code, or `iterations` of them.
 * @returns centres [K, D] and the sum of the rows' squared distances from theirs
 */
export function engineRounds(
  vectors: Vectors,
  start: Vectors,
  iterations: number,
): { centres: Vectors; error: number } {
  const { rows, width } = vectors;
  const x = tf.tensor2d(vectors.data, [rows, width]);
  let centres = start;
  let codes: ArrayLike<number> = [];
  for (let round = 0; round < iterations; round++) {
    const nearest = tf.tidy(() => {
      const c = tf.tensor2d(centres.data, [centres.rows, width]);
      return x.matMul(c, false, true).mul(2).sub(c.square().sum(1)).argMax(1); // |x - c|^2 without |x|^2 [N]
    });
    const next = nearest.dataSync<'int32'>();
    nearest.dispose();
    const settled = codes.length > 0 && next.every((code, i) => code === codes[i]);
    if (settled) break;
    codes = next;
    centres = means(vectors, codes, centres);
  }
  x.dispose();
  let error = 0;
  for (let i = 0; i < rows; i++) error += squaredDistance(rowOf(vectors, i), rowOf(centres, codes[i]!));
  return { centres, error };
}

/** The mean of each code's rows; a code without rows keeps its place. */
function means(vectors: Vectors, codes: ArrayLike<number>, old: Vectors): Vectors {
  const { rows, width } = vectors;
  const sums = new Float64Array(old.rows * width);
  const counts = new Uint32Array(old.rows);
  for (let i = 0; i < rows; i++) {
    const to = codes[i]! * width;
    for (let j = 0; j < width; j++) sums[to + j]! += vectors.data[i * width + j]!;
    counts[codes[i]!]!++;
  }
  const data = old.data.slice();
  for (let code = 0; code < old.rows; code++) {
    if (counts[code]! === 0) continue;
    for (let j = code * width; j < (code + 1) * width; j++) data[j] = sums[j]! / counts[code]!;
  }
  return { rows: old.rows, width, data };
}
