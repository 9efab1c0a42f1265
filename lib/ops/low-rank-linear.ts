/**
 * A frozen matrix, and beside it a trained one of low rank (Hu et al., "LoRA", arXiv 2106.09685, eq. 3).
 *
 * Shapes: N tokens, r rank.
 */
import * as tf from '@tensorflow/tfjs';
import { customOp } from './custom-op.js';

/** The trained product that is added to a frozen matrix. */
export interface LowRank {
  /** [r, in] */
  a: tf.Tensor2D;
  /** [out, r] */
  b: tf.Tensor2D;
  /** The product is multiplied with it: alpha / r. */
  scale: number;
  /** Dropout of what `a` sees [N, in]. Default none. */
  mask?: () => tf.Tensor2D;
}

/**
 * `x @ weight^T + scale * (mask * x) @ a^T @ b^T`. The gradient is that of x, a and b; none is computed for the weight.
 * @param x [N, in] @param weight [out, in], made before the gradient @returns [N, out]
 */
export function lowRankLinear(x: tf.Tensor2D, weight: tf.Tensor2D, { a, b, scale, mask }: LowRank): tf.Tensor2D {
  return customOp<tf.Rank.R2>(
    [x, a, b],
    (x, a, b) => {
      const kept = mask ? [mask()] : [];
      const low = tf.mul(tf.matMul(masked(x!, kept[0]), a!, false, true), scale); // [N, r]
      const value = tf.add(tf.matMul(x!, weight, false, true), tf.matMul(low, b!, false, true));
      return { value, saved: [low, ...kept] };
    },
    (dy, [x, a, b], [low, kept], needs) => {
      const dLow = tf.mul(tf.matMul(dy, b!), scale); // [N, r]
      const dx = needs[0] ? tf.add(tf.matMul(dy, weight), masked(tf.matMul(dLow, a!), kept)) : undefined;
      return [dx, tf.matMul(dLow, masked(x!, kept), true), tf.matMul(dy, low!, true)];
    },
  );
}

function masked(x: tf.Tensor, mask?: tf.Tensor): tf.Tensor {
  return mask ? tf.mul(x, mask) : x;
}
