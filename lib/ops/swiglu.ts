/**
 * The gate of Qwen2's and Llama's feed-forward layer (Shazeer, arXiv 2002.05202).
 */
import * as tf from '@tensorflow/tfjs';
import { fromBfloat16, toBfloat16 } from './bfloat16.js';
import { customOp } from './custom-op.js';
import { chooseImplementation, hasFused, runFused } from './fused.js';
import { activeTape } from './tape.js';

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

const half: Implementation = {
  forward: (gate, up) => tf.tidy(() => toBfloat16(plain.forward(fromBfloat16(gate), fromBfloat16(up)))),
  backward: (dy, gate, up) => plain.backward(dy, fromBfloat16(gate), fromBfloat16(up)).map((d) => toBfloat16(d)),
};

const fusedHalf: Implementation = {
  forward: (gate, up) => runFused('SidlabSwigluBfloat16', [gate, up])[0]!,
  backward: (dy, gate, up) => runFused('SidlabSwigluBfloat16Grad', [dy, gate, up]),
};

/**
 * The same of bfloat16 numbers, computed in float32: value and gradients of the inputs are in bfloat16, what the products
 * around it read. TensorFlow.js's own tape takes gradients in float32 alone and gets them.
 */
export function swigluBfloat16(gate: tf.Tensor2D, up: tf.Tensor2D): tf.Tensor2D {
  const { forward, backward } = hasFused('SidlabSwigluBfloat16') ? fusedHalf : half;
  const ours = activeTape() !== undefined;
  return customOp<tf.Rank.R2>(
    [gate, up],
    (gate, up) => ({ value: forward(gate!, up!) }),
    (dy, [gate, up]) => backward(dy, gate!, up!).map((d) => (ours ? d : fromBfloat16(d))),
  );
}
