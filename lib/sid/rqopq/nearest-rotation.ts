/**
 * The orthogonal matrix nearest to a matrix (its polar factor), which solves the orthogonal Procrustes problem:
 * `nearestRotation(x^T y)` is the rotation R with the least |x R - y|^2 (Schonemann 1966).
 *
 * Newton-Schulz, X <- X (3 I - X^T X) / 2 (Higham, "Functions of Matrices", 8.3), from the matrix over its Frobenius norm:
 * products alone, which the engine is quick at, and singular values of any size end at 1. Departure: a millionth of
 * `before` is added, so that directions of which the matrix says nothing keep the rotation that they had.
 *
 * Shapes: D width.
 */
import * as tf from '@tensorflow/tfjs';

/** A singular value grows by half an iteration: from 1e-9 to 1 in 51. */
const MOST_ITERATIONS = 80;
/** Of X^T X from the identity, the largest entry. */
const ENOUGH = 1e-5;
const SHARE_OF_BEFORE = 1e-6;

/** @param matrix [D, D] @param before a rotation [D, D] @returns [D, D], which the caller disposes */
export function nearestRotation(matrix: tf.Tensor2D, before: tf.Tensor2D): tf.Tensor2D {
  const eye = tf.eye(matrix.shape[0]);
  let x = tf.tidy(() => {
    const norm = tf.maximum(tf.norm(matrix), 1e-30);
    return tf.add<tf.Tensor2D>(tf.div(matrix, norm), tf.mul(before, SHARE_OF_BEFORE));
  });
  for (let i = 0; i < MOST_ITERATIONS; i++) {
    const [next, off] = tf.tidy(() => {
      const square = tf.matMul(x, x, true);
      const step = tf.matMul(x, tf.sub<tf.Tensor2D>(tf.mul(eye, 1.5), tf.mul(square, 0.5)));
      return [step, tf.max(tf.abs(tf.sub(square, eye)))];
    });
    const done = off!.dataSync()[0]! < ENOUGH;
    tf.dispose([x, off!]);
    x = next as tf.Tensor2D;
    if (done) break;
  }
  eye.dispose();
  return x;
}
