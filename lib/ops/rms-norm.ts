/**
 * Root mean square normalisation (Zhang & Sennrich, arXiv 1910.07467), as in Qwen2 and Llama.
 */
import * as tf from '@tensorflow/tfjs';
import { customOp } from './custom-op.js';

/**
 * `x / sqrt(mean(x^2) + epsilon) * weight`, the mean over the last axis.
 * @param x [N, D]
 * @param weight [D]
 * @returns [N, D]
 */
export function rmsNorm(x: tf.Tensor2D, weight: tf.Tensor1D, epsilon: number): tf.Tensor2D {
  const width = x.shape[1];
  return customOp<tf.Rank.R2>(
    [x, weight],
    (x, weight) => {
      const scale = tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon)); // [N, 1]
      return { value: tf.mul(tf.mul(x, scale), weight), saved: [scale] };
    },
    (dy, [x, weight], [scale]) => {
      const normal = tf.mul(x!, scale!); // [N, D]
      const dNormal = tf.mul(dy, weight!);
      const along = tf.mul(tf.sum(tf.mul(dNormal, normal), -1, true), 1 / width); // [N, 1]
      const dx = tf.mul(tf.sub(dNormal, tf.mul(normal, along)), scale!);
      return [dx, tf.sum(tf.mul(dy, normal), 0)];
    },
  );
}
