/**
 * Columns of a tall matrix -> an orthonormal basis of the space they span.
 *
 * Follows Fukaya et al., "Shifted Cholesky QR" (SIAM J. Sci. Comput. 2020): the Gram matrix on the engine, its Cholesky
 * factor on plain float64 numbers. Departures: 1. one pass; call it twice for a basis exact to float32; 2. a column
 * that depends on those before it becomes zero, so that a matrix of low rank is no error.
 *
 * Shapes: N rows, R columns.
 */
import * as tf from '@tensorflow/tfjs';
import { valuesOf } from '../../support/values-of.js';

/** Pivots below this share of their column's own squared length count as zero: float32's exactness. */
const DEPENDENT = 1e-6;

/** @param matrix [N * R] -> [N * R] */
export function orthonormalise(matrix: Float32Array, width: number): Float32Array {
  const inverse = inverseCholesky(gram(matrix, width), width);
  return valuesOf(() =>
    tf.tensor2d(matrix, [matrix.length / width, width]).matMul(tf.tensor2d(inverse, [width, width])),
  );
}

/** X^T X of X [N * R] -> [R * R] */
export function gram(matrix: Float32Array, width: number): Float64Array {
  const product = valuesOf(() => {
    const x = tf.tensor2d(matrix, [matrix.length / width, width]);
    return x.matMul(x, true, false);
  });
  return Float64Array.from(product);
}

/**
 * M with M^T G M = I for a Gram matrix G = L L^T: the transposed inverse of L, upper triangular. Columns of dependent
 * directions are zero.
 */
function inverseCholesky(gram: Float64Array, n: number): Float32Array {
  const lower = new Float64Array(n * n);
  const inverse = new Float64Array(n * n); // of L, lower triangular
  const free = new Uint8Array(n);
  for (let i = 0; i < n; i++) {
    let pivot = gram[i * n + i]!;
    for (let j = 0; j < i; j++) {
      if (!free[j]) continue;
      let sum = gram[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= lower[i * n + k]! * lower[j * n + k]!;
      lower[i * n + j] = sum / lower[j * n + j]!;
      pivot -= lower[i * n + j]! ** 2;
    }
    if (!(pivot > DEPENDENT * gram[i * n + i]!)) {
      lower.fill(0, i * n, (i + 1) * n);
      continue;
    }
    free[i] = 1;
    lower[i * n + i] = Math.sqrt(pivot);
    const scale = 1 / lower[i * n + i]!;
    for (let k = 0; k < i; k++) {
      const factor = lower[i * n + k]! * scale;
      if (factor === 0) continue;
      for (let j = 0; j <= k; j++) inverse[i * n + j]! -= factor * inverse[k * n + j]!;
    }
    inverse[i * n + i] = scale;
  }
  const upper = new Float32Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) upper[j * n + i] = inverse[i * n + j]!;
  return upper;
}
