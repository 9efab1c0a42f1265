/**
 * Layer normalisation (Ba et al., arXiv 1607.06450), PyTorch's form: the variance is that of all numbers of a row.
 *
 * Shapes: N rows, D width.
 */
import * as tf from '@tensorflow/tfjs';
import { customOp } from '../custom-op.js';

/**
 * `(x - mean) / sqrt(variance + epsilon) * weight + bias`, mean and variance over the last axis.
 * @param x [N, D] @param weight [D] @param bias [D] @returns [N, D]
 */
export function layerNorm(x: tf.Tensor2D, weight: tf.Tensor1D, bias: tf.Tensor1D, epsilon: number): tf.Tensor2D {
  return customOp<tf.Rank.R2>(
    [x, weight, bias],
    (x, weight, bias) => {
      const centred = tf.sub(x!, tf.mean(x!, -1, true));
      const scale = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), epsilon)); // [N, 1]
      const normal = tf.mul(centred, scale);
      return { value: tf.add(tf.mul(normal, weight!), bias!), saved: [normal, scale] };
    },
    (dy, [, weight], [normal, scale]) => {
      const dNormal = tf.mul(dy, weight!);
      const along = tf.mean(tf.mul(dNormal, normal!), -1, true); // [N, 1]
      const centred = tf.sub(dNormal, tf.mean(dNormal, -1, true));
      const dx = tf.mul(tf.sub(centred, tf.mul(normal!, along)), scale!);
      return [dx, tf.sum(tf.mul(dy, normal!), 0), tf.sum(dy, 0)];
    },
  );
}
