/**
 * The products of a layer in the precision that a model computes in.
 *
 * In bfloat16 it is PyTorch's autocast: both factors are rounded, the sum is in float32 and rounded once, forward and in
 * both gradients; weights and everything between the products stay float32. A weight's gradient stays in bfloat16, which
 * it was rounded to, until it is added to another or used.
 */
import * as tf from '@tensorflow/tfjs';
import { product } from './basic.js';
import { fromBfloat16, matMulBfloat16, toBfloat16 } from './bfloat16.js';
import { customOp } from './custom-op.js';
import { halfOf } from './half-copies.js';
import type { Precision } from './precision.js';

/**
 * What a product reads. In bfloat16 it is rounded once, however many products read it, and is what their gradients keep.
 * @param x [N, in]
 */
export function operand(x: tf.Tensor2D, precision: Precision = 'float32'): tf.Tensor2D {
  if (precision === 'float32') return x;
  return customOp<tf.Rank.R2>(
    [x],
    (x) => ({ value: toBfloat16(x!) }),
    (dy) => [fromBfloat16(dy)],
    { keepsInputs: false },
  );
}

/** `x @ weight^T`. @param x an operand of the same precision [N, in] @param weight [out, in] @returns [N, out], float32 */
export function linear(x: tf.Tensor2D, weight: tf.Tensor2D, precision: Precision = 'float32'): tf.Tensor2D {
  if (precision === 'float32') return product(x, weight);
  return customOp<tf.Rank.R2>(
    [x, weight],
    (x) => ({ value: product16(x as tf.Tensor2D, halfOf(weight), false, true) }),
    (dy, [x], _, needs) => gradients(dy as tf.Tensor2D, x as tf.Tensor2D, weight, needs),
  );
}

/** `linear` in bfloat16 whose value stays in it: for an operation that reads such numbers. */
export function linearBfloat16(x: tf.Tensor2D, weight: tf.Tensor2D): tf.Tensor2D {
  return customOp<tf.Rank.R2>(
    [x, weight],
    (x) => ({ value: matMulBfloat16(x as tf.Tensor2D, halfOf(weight), false, true) }),
    (dy, [x], _, needs) => gradients(dy as tf.Tensor2D, x as tf.Tensor2D, weight, needs),
  );
}

function gradients(
  dy: tf.Tensor2D,
  x: tf.Tensor2D,
  weight: tf.Tensor2D,
  [ofX, ofWeight]: readonly boolean[],
): (tf.Tensor | undefined)[] {
  const half = toBfloat16(dy);
  return [ofX ? product16(half, halfOf(weight)) : undefined, ofWeight ? matMulBfloat16(half, x, true) : undefined];
}

/** A product of bfloat16 matrices as float32 numbers. */
export function product16(a: tf.Tensor2D, b: tf.Tensor2D, transposeA = false, transposeB = false): tf.Tensor2D {
  return tf.tidy(() => fromBfloat16(matMulBfloat16(a, b, transposeA, transposeB)));
}
