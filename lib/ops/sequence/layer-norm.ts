/**
 * Layer normalisation (Ba et al., arXiv 1607.06450), PyTorch's form: the variance is that of all numbers of a row.
 *
 * Shapes: N rows, D width, A = D, or 0 where there are no weights.
 */
import * as tf from '@tensorflow/tfjs';
import { customOp } from '../custom-op.js';
import { chooseImplementation, runFused } from '../fused.js';

/** What a normalised row is multiplied with and moved by, trained. */
export interface Affine {
  /** [D] */
  weight: tf.Tensor1D;
  /** [D] */
  bias: tf.Tensor1D;
}

interface Implementation {
  /** @returns y [N, D], and each row's mean and factor [N, 1] */
  forward(x: tf.Tensor, weight: tf.Tensor | undefined, bias: tf.Tensor | undefined, epsilon: number): tf.Tensor[];
  /** @returns dx [N, D], and with weights dWeight and dBias [D] */
  backward(dy: tf.Tensor, x: tf.Tensor, weight: tf.Tensor | undefined, mean: tf.Tensor, scale: tf.Tensor): tf.Tensor[];
}

const plain: Implementation = {
  forward(x, weight, bias, epsilon) {
    const mean = tf.mean(x, -1, true);
    const centred = tf.sub(x, mean);
    const scale = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), epsilon));
    const normal = tf.mul(centred, scale);
    return [weight ? tf.add(tf.mul(normal, weight), bias!) : normal, mean, scale];
  },
  backward(dy, x, weight, mean, scale) {
    const normal = tf.mul(tf.sub(x, mean), scale);
    const dNormal = weight ? tf.mul(dy, weight) : dy;
    const along = tf.mean(tf.mul(dNormal, normal), -1, true); // [N, 1]
    const centred = tf.sub(dNormal, tf.mean(dNormal, -1, true));
    const dx = tf.mul(tf.sub(centred, tf.mul(normal, along)), scale);
    return weight ? [dx, tf.sum(tf.mul(dy, normal), 0), tf.sum(dy, 0)] : [dx];
  },
};

const none = (): tf.Tensor => tf.tensor1d([]);

const fused: Implementation = {
  forward: (x, weight = none(), bias = none(), epsilon) =>
    runFused('SidlabLayerNorm', [x, weight, bias, tf.tensor1d([epsilon])]),
  backward: (dy, x, weight, mean, scale) =>
    runFused('SidlabLayerNormGrad', [dy, x, weight ?? none(), mean, scale]).slice(0, weight ? 3 : 1),
};

/**
 * `(x - mean) / sqrt(variance + epsilon) * weight + bias`, mean and variance over the last axis.
 * @param x [N, D] @param affine default none: weight 1, bias 0 @returns [N, D]
 */
export function layerNorm(x: tf.Tensor2D, epsilon: number, affine?: Affine): tf.Tensor2D {
  const { forward, backward } = chooseImplementation('SidlabLayerNorm', plain, fused);
  return customOp<tf.Rank.R2>(
    affine ? [x, affine.weight, affine.bias] : [x],
    (x, weight, bias) => {
      const [value, mean, scale] = forward(x!, weight, bias, epsilon);
      return { value: value!, saved: [mean!, scale!] };
    },
    (dy, [x, weight], [mean, scale]) => backward(dy, x!, weight, mean!, scale!),
  );
}
