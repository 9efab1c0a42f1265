/**
 * Gated recurrent units (Cho et al., EMNLP 2014), PyTorch's form, over sequences of different length without padding:
 * tokens lie by time, those of step 0 first, the longest sequences first within a step.
 *
 * Shapes: N tokens, n sequences of a step, H hidden width; gates r, z, n in this order.
 */
import * as tf from '@tensorflow/tfjs';
import { customOp } from '../custom-op.js';
import { chooseImplementation, runFused } from '../fused.js';

interface Implementation {
  /**
   * @param x [n, 3H] @param recurrent the state's part without its bias [n, 3H] @param bias [3H] @param before [n, H]
   * @returns the new state [n, H], and r, z, n and what r was multiplied with side by side [n, 4H]
   */
  forward(x: tf.Tensor2D, recurrent: tf.Tensor2D, bias: tf.Tensor1D, before: tf.Tensor2D): tf.Tensor[];
  /** @returns dX [n, 3H], dRecurrent [n, 3H], dBefore [n, H], without what comes through the recurrent weights */
  backward(dState: tf.Tensor2D, before: tf.Tensor2D, kept: tf.Tensor2D): tf.Tensor[];
}

const plain: Implementation = {
  forward(x, recurrent, bias, before) {
    const width = before.shape[1];
    const own = tf.add<tf.Tensor2D>(recurrent, bias);
    const both = tf.sigmoid(tf.add(tf.slice(x, [0, 0], [-1, 2 * width]), tf.slice(own, [0, 0], [-1, 2 * width])));
    const [r, z] = tf.split(both, 2, 1) as [tf.Tensor2D, tf.Tensor2D];
    const inner = tf.slice(own, [0, 2 * width], [-1, width]);
    const n = tf.tanh(tf.add(tf.slice(x, [0, 2 * width], [-1, width]), tf.mul(r, inner)));
    const state = tf.add(n, tf.mul(z, tf.sub(before, n))); // (1 - z) * n + z * h
    return [state, tf.concat([both, n, inner], 1)];
  },
  backward(dState, before, kept) {
    const [r, z, n, inner] = tf.split(kept, 4, 1) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    const dN = tf.mul(tf.mul(dState, tf.sub(1, z)), tf.sub(1, tf.square(n)));
    const dZ = tf.mul(tf.mul(dState, tf.sub(before, n)), tf.mul(z, tf.sub(1, z)));
    const dR = tf.mul(tf.mul(dN, inner), tf.mul(r, tf.sub(1, r)));
    return [tf.concat([dR, dZ, dN], 1), tf.concat([dR, dZ, tf.mul(dN, r)], 1), tf.mul(dState, z)];
  },
};

const fused: Implementation = {
  forward: (x, recurrent, bias, before) => runFused('SidlabGruCell', [x, recurrent, bias, before]),
  backward: (dState, before, kept) => runFused('SidlabGruCellGrad', [dState, before, kept]),
};

/**
 * r = sigmoid(x_r + h_r), z = sigmoid(x_z + h_z), n = tanh(x_n + r * h_n), h' = (1 - z) * n + z * h, where
 * [h_r, h_z, h_n] = h @ weight^T + bias; h begins as zeros.
 * @param x of each token what its input adds to the gates, biases included [N, 3H]
 * @param weight [3H, H] @param bias [3H]
 * @param counts sequences that reach each step, falling; they add up to N
 * @returns h' of each token [N, H]
 */
export function gru(x: tf.Tensor2D, weight: tf.Tensor2D, bias: tf.Tensor1D, counts: readonly number[]): tf.Tensor2D {
  const { forward, backward } = chooseImplementation('SidlabGruCell', plain, fused);
  const width = weight.shape[1];
  return customOp<tf.Rank.R2>(
    [x, weight, bias],
    (x, weight, bias) => {
      const states: tf.Tensor2D[] = [];
      const saved: tf.Tensor[] = [];
      let at = 0;
      for (const [t, count] of counts.entries()) {
        const before = t === 0 ? tf.zeros<tf.Rank.R2>([count, width]) : firstRows(states[t - 1]!, count);
        const own = tf.slice(x as tf.Tensor2D, [at, 0], [count, 3 * width]);
        const recurrent: tf.Tensor2D =
          t === 0 ? tf.zeros([count, 3 * width]) : tf.matMul(before, weight as tf.Tensor2D, false, true);
        const [state, kept] = forward(own, recurrent, bias as tf.Tensor1D, before);
        states.push(state as tf.Tensor2D);
        saved.push(before, kept!);
        at += count;
      }
      return { value: tf.concat(states, 0), saved };
    },
    (dy, [, weight], saved) => {
      const dX: tf.Tensor2D[] = [];
      const dRecurrent: tf.Tensor2D[] = [];
      const states: tf.Tensor2D[] = [];
      let carried: tf.Tensor2D | undefined; // gradient of the state before the step that came last
      let at = dy.shape[0]!;
      for (let t = counts.length - 1; t >= 0; t--) {
        const count = counts[t]!;
        const [before, kept] = saved.slice(2 * t, 2 * t + 2) as [tf.Tensor2D, tf.Tensor2D];
        at -= count;
        const own = tf.slice(dy as tf.Tensor2D, [at, 0], [count, width]);
        const dState: tf.Tensor2D = carried ? tf.add(own, grown(carried, count)) : own;
        const [ofX, ofRecurrent, ofBefore] = backward(dState, before, kept);
        dX.unshift(ofX as tf.Tensor2D);
        dRecurrent.unshift(ofRecurrent as tf.Tensor2D);
        if (t === 0) break; // its state is zero: nothing goes further back, and the weights have no part in it
        states.unshift(before);
        const through = tf.matMul<tf.Tensor2D>(ofRecurrent as tf.Tensor2D, weight as tf.Tensor2D);
        carried = tf.add<tf.Tensor2D>(ofBefore!, through);
      }
      const ofBias = tf.sum(tf.concat(dRecurrent, 0), 0);
      if (states.length === 0) return [tf.concat(dX, 0), tf.zeros(weight!.shape), ofBias];
      const ofWeight = tf.matMul(tf.concat(dRecurrent.slice(1), 0), tf.concat(states, 0), true);
      return [tf.concat(dX, 0), ofWeight, ofBias];
    },
  );
}

function firstRows(x: tf.Tensor2D, rows: number): tf.Tensor2D {
  return x.shape[0] === rows ? x : tf.slice(x, [0, 0], [rows, x.shape[1]]);
}

/** Zeros below, for sequences that ended. */
function grown(x: tf.Tensor2D, rows: number): tf.Tensor2D {
  return x.shape[0] === rows
    ? x
    : tf.pad(x, [
        [0, rows - x.shape[0]],
        [0, 0],
      ]);
}
