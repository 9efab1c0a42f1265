/**
 * The gate of Qwen2's and Llama's feed-forward layer (Shazeer, arXiv 2002.05202).
 */
import * as tf from '@tensorflow/tfjs';
import { customOp } from './custom-op.js';
import { chooseImplementation, runFused } from './fused.js';

interface Implementation {
  forward(gate: tf.Tensor, up: tf.Tensor): tf.Tensor;
  /** @returns dGate, dUp */
  backward(dy: tf.Tensor, gate: tf.Tensor, up: tf.Tensor): tf.Tensor[];
}

const plain: Implementation = {
  forward: (gate, up) => tf.mul(tf.mul(gate, tf.sigmoid(gate)), up),
  backward(dy, gate, up) {
    const sigmoid = tf.sigmoid(gate); // computed again: what is not kept costs no memory
    const silu = tf.mul(gate, sigmoid);
    const slope = tf.add(sigmoid, tf.mul(silu, tf.sub(1, sigmoid)));
    return [tf.mul(tf.mul(dy, up), slope), tf.mul(dy, silu)];
  },
};

const fused: Implementation = {
  forward: (gate, up) => runFused('SidlabSwiglu', [gate, up])[0]!,
  backward: (dy, gate, up) => runFused('SidlabSwigluGrad', [dy, gate, up]),
};

/** `silu(gate) * up`, silu(x) = x * sigmoid(x). @param gate [N, F] @param up [N, F] @returns [N, F] */
export function swiglu(gate: tf.Tensor2D, up: tf.Tensor2D): tf.Tensor2D {
  const { forward, backward } = chooseImplementation('SidlabSwiglu', plain, fused);
  return customOp<tf.Rank.R2>(
    [gate, up],
    (gate, up) => ({ value: forward(gate!, up!) }),
    (dy, [gate, up]) => backward(dy, gate!, up!),
  );
}
