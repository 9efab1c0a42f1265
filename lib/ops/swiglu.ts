/**
 * The gate of Qwen2's and Llama's feed-forward layer (Shazeer, arXiv 2002.05202).
 */
import * as tf from '@tensorflow/tfjs';
import { customOp } from './custom-op.js';

/** `silu(gate) * up`, silu(x) = x * sigmoid(x). @param gate [N, F] @param up [N, F] @returns [N, F] */
export function swiglu(gate: tf.Tensor2D, up: tf.Tensor2D): tf.Tensor2D {
  return customOp<tf.Rank.R2>(
    [gate, up],
    (gate, up) => {
      const sigmoid = tf.sigmoid(gate);
      return { value: tf.mul(tf.mul(gate, sigmoid), up), saved: [sigmoid] };
    },
    (dy, [gate, up], [sigmoid]) => {
      const silu = tf.mul(gate!, sigmoid!);
      const slope = tf.add(sigmoid!, tf.mul(silu, tf.sub(1, sigmoid!)));
      return [tf.mul(tf.mul(dy, up!), slope), tf.mul(dy, silu)];
    },
  );
}
