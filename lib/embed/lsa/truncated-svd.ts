/**
 * The largest singular triplets of a sparse matrix, by randomised subspace iteration.
 *
 * Follows Halko, Martinsson & Tropp, "Finding structure with randomness" (SIAM Review 2011), algorithms 4.4 and 5.1,
 * as scikit-learn's TruncatedSVD does (10 extra directions, 5 power iterations). Departures:
 *   1. the subspace is kept orthonormal by Cholesky factors of its Gram matrix, twice where exactness counts
 *      ("CholeskyQR2"), not by Householder or LU;
 *   2. the small problem is a symmetric eigenproblem, so directions whose singular value is lost in float32 come out
 *      as zero;
 *   3. signs: in each right vector the entry of largest magnitude is positive (scikit-learn's rule from 1.5 on).
 *
 * Shapes: N rows, V columns, D directions kept, R = D + extra directions.
 */
import * as tf from '@tensorflow/tfjs';
import { Random } from '../../support/random.js';
import { valuesOf } from '../../support/values-of.js';
import { gram, orthonormalise } from './orthonormalise.js';
import { sparseMatMul, transpose } from './sparse.js';
import { symmetricEigen } from './symmetric-eigen.js';
import type { SparseRows } from './tfidf.js';

/** Options of `truncatedSvd`. */
export interface TruncatedSvdOptions {
  /** Directions kept (D), at most the smaller side of the matrix. */
  width: number;
  /** Rounds of A A^T on the random start. Default 5. */
  iterations?: number;
  /** Directions beside those kept, for exactness. Default 10. */
  oversample?: number;
  /** Default 42. */
  seed?: number;
}

/** The largest singular values of a matrix [N, V], and its rows in their directions. D directions. */
export interface TruncatedSvd {
  /** U S, the rows in the new directions [N * D] */
  projected: Float32Array;
  /** Largest first [D] */
  singular: Float64Array;
}

/**
 * @param matrix [N, V]
 * @throws RangeError if width is not a whole number from 1 to the matrix's smaller side
 */
export function truncatedSvd(matrix: SparseRows, options: TruncatedSvdOptions): TruncatedSvd {
  const { width, iterations = 5, oversample = 10, seed = 42 } = options;
  const side = Math.min(matrix.rows, matrix.width);
  if (!Number.isInteger(width) || width < 1 || width > side) {
    throw new RangeError(`truncatedSvd: expected width from 1 to ${side}, got ${width}`);
  }
  const inner = Math.min(width + oversample, side);
  const transposed = transpose(matrix);
  const random = new Random(seed);
  let basis: Float32Array = new Float32Array(matrix.rows * inner).map(() => random.normal()); // [N * R]
  for (let i = 0; i <= iterations; i++) {
    basis = orthonormalise(sparseMatMul(matrix, sparseMatMul(transposed, basis, inner), inner), inner);
  }
  basis = orthonormalise(basis, inner);
  return project(basis, sparseMatMul(transposed, basis, inner), inner, width);
}

/** @param image A^T Q [V * R] of the orthonormal basis Q [N * R] */
function project(basis: Float32Array, image: Float32Array, inner: number, width: number): TruncatedSvd {
  const { values, vectors } = symmetricEigen(gram(image, inner), inner); // Q^T A A^T Q = W S^2 W^T
  const singular = Float64Array.from({ length: width }, (_, i) => Math.sqrt(Math.max(0, values[i]!)));
  const kept = Float32Array.from(vectors.subarray(0, width * inner));
  const projected = valuesOf(() => {
    const rotation = tf.tensor2d(kept, [width, inner]);
    const right = tf.tensor2d(image, [image.length / inner, inner]).matMul(rotation, false, true); // V S [V, D]
    const sign = tf.where(right.max(0).greaterEqual(right.min(0).neg()), tf.scalar(1), tf.scalar(-1)); // [D]
    const left = tf.tensor2d(basis, [basis.length / inner, inner]).matMul(rotation, false, true); // U [N, D]
    return left.mul(sign.mul(tf.tensor1d(Float32Array.from(singular))));
  });
  return { projected, singular };
}
