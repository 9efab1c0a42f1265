/**
 * A frozen matrix, and beside it a trained one of low rank (Hu et al., "LoRA", arXiv 2106.09685, eq. 3).
 *
 * Shapes: N tokens, r rank.
 */
import * as tf from '@tensorflow/tfjs';
import { fromBfloat16, toBfloat16 } from './bfloat16.js';
import { customOp } from './custom-op.js';
import { halfOf } from './half-copies.js';
import { product16 } from './linear.js';
import type { Precision } from './precision.js';

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
 * In bfloat16 the frozen product is (see `linear`); the thin ones, a fraction of it, stay float32.
 * @param x an operand of the same precision [N, in] @param weight [out, in], made before the gradient @returns [N, out]
 */
export function lowRankLinear(
  x: tf.Tensor2D,
  weight: tf.Tensor2D,
  { a, b, scale, mask }: LowRank,
  precision: Precision = 'float32',
): tf.Tensor2D {
  const half = precision === 'bfloat16';
  const wide = (x: tf.Tensor): tf.Tensor => (half ? fromBfloat16(x) : x);
  return customOp<tf.Rank.R2>(
    [x, a, b],
    (x, a, b) => {
      const kept = mask ? [mask()] : [];
      const low = tf.mul(tf.matMul(masked(wide(x!), kept[0]), a!, false, true), scale); // [N, r]
      const frozen = half
        ? product16(x as tf.Tensor2D, halfOf(weight), false, true)
        : tf.matMul(x!, weight, false, true);
      const value = tf.add(frozen, tf.matMul(low, b!, false, true));
      return { value, saved: [low, ...kept] };
    },
    (dy, [x, a, b], [low, kept], needs) => {
      const dLow = tf.mul(tf.matMul(dy, b!), scale); // [N, r]
      const frozen = (): tf.Tensor =>
        half ? product16(toBfloat16(dy as tf.Tensor2D), halfOf(weight)) : tf.matMul(dy, weight);
      const dx = needs[0] ? tf.add(frozen(), masked(tf.matMul(dLow, a!), kept)) : undefined;
      return [dx, tf.matMul(dLow, masked(wide(x!), kept), true), tf.matMul(dy, low!, true)];
    },
  );
}

function masked(x: tf.Tensor, mask?: tf.Tensor): tf.Tensor {
  return mask ? tf.mul(x, mask) : x;
}
