/**
 * Layer normalisation (Ba et al., arXiv 1607.06450), PyTorch's form: the variance is that of all numbers of a row.
 *
 * Shapes: N rows, D width.
 */
import * as tf from '@tensorflow/tfjs';
import { customOp } from '../custom-op.js';

/** What a normalised row is multiplied with and moved by, trained. */
export interface Affine {
  /** [D] */
  weight: tf.Tensor1D;
  /** [D] */
  bias: tf.Tensor1D;
}

/**
 * `(x - mean) / sqrt(variance + epsilon) * weight + bias`, mean and variance over the last axis.
 * @param x [N, D] @param affine default none: weight 1, bias 0 @returns [N, D]
 */
export function layerNorm(x: tf.Tensor2D, epsilon: number, affine?: Affine): tf.Tensor2D {
  return customOp<tf.Rank.R2>(
    affine ? [x, affine.weight, affine.bias] : [x],
    (x, weight, bias) => {
      const centred = tf.sub(x!, tf.mean(x!, -1, true));
      const scale = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), epsilon)); // [N, 1]
      const normal = tf.mul(centred, scale);
      return { value: weight ? tf.add(tf.mul(normal, weight), bias!) : normal, saved: [normal, scale] };
    },
    (dy, [, weight], [normal, scale]) => {
      const dNormal = weight ? tf.mul(dy, weight) : dy;
      const along = tf.mean(tf.mul(dNormal, normal!), -1, true); // [N, 1]
      const centred = tf.sub(dNormal, tf.mean(dNormal, -1, true));
      const dx = tf.mul(tf.sub(centred, tf.mul(normal!, along)), scale!);
      return weight ? [dx, tf.sum(tf.mul(dy, normal!), 0), tf.sum(dy, 0)] : [dx];
    },
  );
}
