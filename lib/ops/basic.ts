/**
 * The small operations between the large ones, each with a gradient that keeps nothing it does not need.
 *
 * Shapes: N tokens, D width.
 */
import * as tf from '@tensorflow/tfjs';
import { customOp } from './custom-op.js';

/** `x @ weight^T`. @param x [N, in] @param weight [out, in] @returns [N, out] */
export function product(x: tf.Tensor2D, weight: tf.Tensor2D): tf.Tensor2D {
  return customOp<tf.Rank.R2>(
    [x, weight],
    (x, weight) => ({ value: tf.matMul(x as tf.Tensor2D, weight as tf.Tensor2D, false, true) }),
    (dy, [x, weight], _, needs) => [
      needs[0] ? tf.matMul(dy as tf.Tensor2D, weight as tf.Tensor2D) : undefined,
      needs[1] ? tf.matMul(dy as tf.Tensor2D, x as tf.Tensor2D, true) : undefined,
    ],
  );
}

/** Of two tensors of one shape. */
export function sum<R extends tf.Rank>(a: tf.Tensor<R>, b: tf.Tensor<R>): tf.Tensor<R> {
  return customOp<R>(
    [a, b],
    (a, b) => ({ value: tf.add(a!, b!) }),
    (dy) => [dy, dy],
    { keepsInputs: false },
  );
}

/** `x + bias` in every row. @param x [N, D] @param bias [D] @returns [N, D] */
export function withBias(x: tf.Tensor2D, bias: tf.Tensor1D): tf.Tensor2D {
  return customOp<tf.Rank.R2>(
    [x, bias],
    (x, bias) => ({ value: tf.add(x!, bias!) }),
    (dy, _, __, needs) => [dy, needs[1] ? tf.sum(dy, 0) : undefined],
    { keepsInputs: false },
  );
}

/** The same numbers in another shape. */
export function reshaped<R extends tf.Rank>(x: tf.Tensor, shape: number[]): tf.Tensor<R> {
  const before = x.shape;
  return customOp<R>(
    [x],
    (x) => ({ value: tf.reshape(x!, shape) }),
    (dy) => [tf.reshape(dy, before)],
    { keepsInputs: false },
  );
}

/** `x * mask`. @param mask of x's shape, made for this call: drawn within, so that it is freed with the gradient */
export function masked(x: tf.Tensor2D, mask: () => tf.Tensor2D): tf.Tensor2D {
  return customOp<tf.Rank.R2>(
    [x],
    (x) => {
      const kept = mask();
      return { value: tf.mul(x!, kept), saved: [kept] };
    },
    (dy, _, [kept]) => [tf.mul(dy, kept!)],
    { keepsInputs: false },
  );
}

/**
 * Ones where the indices point, float32. In the asked type `tf.oneHot` gives whole numbers' bits on WebAssembly, which are
 * as good as zero, so it is cast.
 * @param indices int32 [...] @returns [..., depth]
 */
export function oneHot<R extends tf.Rank>(indices: tf.Tensor, depth: number): tf.Tensor<R> {
  return tf.cast(tf.oneHot(indices, depth), 'float32') as tf.Tensor<R>;
}
