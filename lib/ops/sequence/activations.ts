/** Functions of each number by itself, whose gradient is computed from the input or the value alone. */
import * as tf from '@tensorflow/tfjs';
import { customOp } from '../custom-op.js';

/**
 * `max(x, 0)`; the slope at 0 is 0, as PyTorch's. Of a value that is not negative the sign is the step, and the engine
 * computes it ten times as fast.
 */
export function relu<R extends tf.Rank>(x: tf.Tensor<R>): tf.Tensor<R> {
  return ofValue(x, tf.relu, (dy, y) => tf.mul(dy, tf.sign(y)));
}

/** `tanh(x)` */
export function tanh<R extends tf.Rank>(x: tf.Tensor<R>): tf.Tensor<R> {
  return ofValue(x, tf.tanh, (dy, y) => tf.mul(dy, tf.sub(1, tf.square(y))));
}

/** `x * sigmoid(x)` */
export function silu<R extends tf.Rank>(x: tf.Tensor<R>): tf.Tensor<R> {
  return customOp<R>(
    [x],
    (x) => ({ value: tf.mul(x!, tf.sigmoid(x!)) }),
    (dy, [x]) => [tf.mul(dy, siluSlope(x!))],
  );
}

/** Derivative of `silu`. */
export function siluSlope(x: tf.Tensor): tf.Tensor {
  const sigmoid = tf.sigmoid(x);
  return tf.add(sigmoid, tf.mul(tf.mul(x, sigmoid), tf.sub(1, sigmoid)));
}

/** `a * b` of two tensors of one shape. */
export function times<R extends tf.Rank>(a: tf.Tensor<R>, b: tf.Tensor<R>): tf.Tensor<R> {
  return customOp<R>(
    [a, b],
    (a, b) => ({ value: tf.mul(a!, b!) }),
    (dy, [a, b]) => [tf.mul(dy, b!), tf.mul(dy, a!)],
  );
}

/** `x * factor` */
export function scaled<R extends tf.Rank>(x: tf.Tensor<R>, factor: number): tf.Tensor<R> {
  return customOp<R>(
    [x],
    (x) => ({ value: tf.mul(x!, factor) }),
    (dy) => [tf.mul(dy, factor)],
    { keepsInputs: false },
  );
}

/** Some columns. @param x [N, D] @returns [N, count] */
export function columns(x: tf.Tensor2D, first: number, count: number): tf.Tensor2D {
  const [, width] = x.shape;
  return customOp<tf.Rank.R2>(
    [x],
    (x) => ({ value: tf.slice(x!, [0, first], [-1, count]) }),
    (dy) => [
      tf.pad(dy, [
        [0, 0],
        [first, width - first - count],
      ]),
    ],
    { keepsInputs: false },
  );
}

function ofValue<R extends tf.Rank>(
  x: tf.Tensor<R>,
  value: (x: tf.Tensor) => tf.Tensor,
  gradient: (dy: tf.Tensor, y: tf.Tensor) => tf.Tensor,
): tf.Tensor<R> {
  return customOp<R>(
    [x],
    (x) => {
      const y = value(x!);
      return { value: y, saved: [y] };
    },
    (dy, _, [y]) => [gradient(dy, y!)],
    { keepsInputs: false },
  );
}
