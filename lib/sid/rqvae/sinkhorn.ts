/**
 * Sinkhorn assignment of a batch while the RQ-VAE trains: codes are assigned so that all of them are used about
 * equally, the closer the cheaper (Cuturi, arXiv 1306.0895; LC-Rec's uniform semantic mapping, arXiv 2311.09049).
 *
 * Departures from the reference:
 *   1. potentials in the logarithm instead of float64 products: an epsilon of 0.003 underflows neither here nor there;
 *   2. the last step normalises over codes, as there; a row then takes its code of the largest share.
 *
 * Shapes: B rows, K codes, E width.
 */
import * as tf from '@tensorflow/tfjs';

/**
 * @param closeness `2 r.c - |c|^2` [B, K]
 * @param residual [B, E]
 * @param epsilon of distances that were shifted and scaled to [-1, 1]
 * @returns codes, int32 [B]; ties to the lower code
 */
export function balancedCodes(
  closeness: tf.Tensor2D,
  residual: tf.Tensor2D,
  epsilon: number,
  iterations: number,
): tf.Tensor1D {
  return tf.tidy(() => {
    const distance = tf.sub(tf.sum(tf.square(residual), 1, true), closeness); // [B, K]
    const [low, high] = [tf.min(distance), tf.max(distance)];
    const middle = tf.mul(tf.add(low, high), 0.5);
    const amplitude = tf.add(tf.sub(high, middle), 1e-5);
    let log = tf.div(tf.sub(middle, distance), tf.mul(amplitude, epsilon)); // [B, K]
    for (let i = 0; i < iterations; i++) {
      const rows = tf.tidy(() => tf.sub(log, tf.logSumExp(log, 1, true)));
      const next = tf.tidy(() => tf.sub(rows, tf.logSumExp(rows, 0, true)));
      tf.dispose([log, rows]);
      log = next;
    }
    return tf.argMax(log, 1);
  });
}
