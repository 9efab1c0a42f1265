/**
 * Squared Euclidean distances on plain numbers. In float64 and term by term, so that equal rows are at distance 0
 * exactly and ties mean the same thing on every engine.
 *
 * Shapes: N rows, K codes, D width.
 */
import { rowOf, type Vectors } from '../../files/npy.js';

/** Sum of the squared differences of two rows of one width. */
export function squaredDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) {
    const difference = a[j]! - b[j]!;
    sum += difference * difference;
  }
  return sum;
}

/** Sum of the squares of each row [N]. */
export function squaredNorms(vectors: Vectors): Float64Array {
  return Float64Array.from({ length: vectors.rows }, (_, i) => rowOf(vectors, i).reduce((sum, x) => sum + x * x, 0));
}

/** Index of the code nearest to `x` [D]; ties to the lower index. */
export function nearestCode(x: ArrayLike<number>, codebook: Vectors): number {
  let best = 0;
  let bestDistance = Infinity;
  for (let code = 0; code < codebook.rows; code++) {
    const distance = squaredDistance(x, rowOf(codebook, code));
    if (distance < bestDistance) [best, bestDistance] = [code, distance];
  }
  return best;
}

/** All codes, nearest to `x` [D] first; ties to the lower index, as sorting is stable. */
export function codesByDistance(x: ArrayLike<number>, codebook: Vectors): number[] {
  const distances = Float64Array.from({ length: codebook.rows }, (_, code) =>
    squaredDistance(x, rowOf(codebook, code)),
  );
  return [...distances.keys()].sort((a, b) => distances[a]! - distances[b]!);
}
