/**
 * Root mean square normalisation (Zhang & Sennrich, arXiv 1910.07467), as in Qwen2 and Llama.
 */
import * as tf from '@tensorflow/tfjs';
import { customOp } from './custom-op.js';
import { chooseImplementation, runFused } from './fused.js';

interface Implementation {
  /** @returns y [N, D] and what each row was multiplied with [N, 1] */
  forward(x: tf.Tensor, weight: tf.Tensor, epsilon: number): tf.Tensor[];
  /** @returns dx [N, D], dWeight [D] */
  backward(dy: tf.Tensor, x: tf.Tensor, weight: tf.Tensor, scale: tf.Tensor): tf.Tensor[];
}

const plain: Implementation = {
  forward(x, weight, epsilon) {
    const scale = tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon)); // [N, 1]
    return [tf.mul(tf.mul(x, scale), weight), scale];
  },
  backward(dy, x, weight, scale) {
    const normal = tf.mul(x, scale); // [N, D]
    const dNormal = tf.mul(dy, weight);
    const along = tf.mul(tf.sum(tf.mul(dNormal, normal), -1, true), 1 / x.shape[1]!); // [N, 1]
    const dx = tf.mul(tf.sub(dNormal, tf.mul(normal, along)), scale);
    return [dx, tf.sum(tf.mul(dy, normal), 0)];
  },
};

const fused: Implementation = {
  forward: (x, weight, epsilon) => runFused('SidlabRmsNorm', [x, weight, tf.tensor1d([epsilon])]),
  backward: (dy, x, weight, scale) => runFused('SidlabRmsNormGrad', [dy, x, weight, scale]),
};

/**
 * `x / sqrt(mean(x^2) + epsilon) * weight`, the mean over the last axis.
 * @param x [N, D]
 * @param weight [D]
 * @returns [N, D]
 */
export function rmsNorm(x: tf.Tensor2D, weight: tf.Tensor1D, epsilon: number): tf.Tensor2D {
  const { forward, backward } = chooseImplementation('SidlabRmsNorm', plain, fused);
  return customOp<tf.Rank.R2>(
    [x, weight],
    (x, weight) => {
      const [value, scale] = forward(x!, weight!, epsilon);
      return { value: value!, saved: [scale!] };
    },
    (dy, [x, weight], [scale]) => backward(dy, x!, weight!, scale!),
  );
}
