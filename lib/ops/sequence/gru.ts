/**
 * Gated recurrent units (Cho et al., EMNLP 2014), PyTorch's form, over sequences of different length without padding:
 * tokens lie by time, those of step 0 first, the longest sequences first within a step.
 *
 * Shapes: N tokens, H hidden width; gates r, z, n in this order.
 */
import * as tf from '@tensorflow/tfjs';
import { customOp } from '../custom-op.js';

/**
 * r = sigmoid(x_r + h_r), z = sigmoid(x_z + h_z), n = tanh(x_n + r * h_n), h' = (1 - z) * n + z * h, where
 * [h_r, h_z, h_n] = h @ weight^T + bias; h begins as zeros.
 * @param x of each token what its input adds to the gates, biases included [N, 3H]
 * @param weight [3H, H] @param bias [3H]
 * @param counts sequences that reach each step, falling; they add up to N
 * @returns h' of each token [N, H]
 */
export function gru(x: tf.Tensor2D, weight: tf.Tensor2D, bias: tf.Tensor1D, counts: readonly number[]): tf.Tensor2D {
  const width = weight.shape[1];
  return customOp<tf.Rank.R2>(
    [x, weight, bias],
    (x, weight, bias) => {
      const states: tf.Tensor2D[] = [];
      const saved: tf.Tensor[] = [];
      let at = 0;
      for (const [t, count] of counts.entries()) {
        const before =
          t === 0 ? tf.zeros<tf.Rank.R2>([count, width]) : tf.slice2d(states[t - 1]!, [0, 0], [count, width]);
        const own = tf.slice(x!, [at, 0], [count, 3 * width]);
        const recurrent = tf.add<tf.Tensor2D>(
          tf.matMul<tf.Tensor2D>(before, weight as tf.Tensor2D, false, true),
          bias!,
        );
        const step = forwardStep(own as tf.Tensor2D, recurrent, before, width);
        states.push(step.state);
        saved.push(before, ...step.saved);
        at += count;
      }
      return { value: tf.concat(states, 0), saved };
    },
    (dy, [, weight], saved) => {
      const dX: tf.Tensor2D[] = [];
      const dRecurrent: tf.Tensor2D[] = [];
      const before: tf.Tensor2D[] = [];
      let carried: tf.Tensor2D | undefined; // gradient of the state before the step that came last
      let at = dy.shape[0]!;
      for (let t = counts.length - 1; t >= 0; t--) {
        const count = counts[t]!;
        const [state, ...gates] = saved.slice(t * SAVED, (t + 1) * SAVED) as tf.Tensor2D[];
        at -= count;
        const own = tf.slice(dy as tf.Tensor2D, [at, 0], [count, width]);
        const dState: tf.Tensor2D = carried ? tf.add(own, grown(carried, count)) : own;
        const step = backwardStep(dState, state!, gates);
        carried = tf.add<tf.Tensor2D>(step.dBefore, tf.matMul(step.dRecurrent, weight as tf.Tensor2D));
        dX.unshift(step.dX);
        dRecurrent.unshift(step.dRecurrent);
        before.unshift(state!);
      }
      const all = tf.concat(dRecurrent, 0);
      return [tf.concat(dX, 0), tf.matMul(all, tf.concat(before, 0), true), tf.sum(all, 0)];
    },
  );
}

/** Tensors that a step keeps. */
const SAVED = 5;

function forwardStep(x: tf.Tensor2D, recurrent: tf.Tensor2D, before: tf.Tensor2D, width: number) {
  const both = tf.sigmoid(tf.add(tf.slice(x, [0, 0], [-1, 2 * width]), tf.slice(recurrent, [0, 0], [-1, 2 * width])));
  const [r, z] = tf.split(both, 2, 1) as [tf.Tensor2D, tf.Tensor2D];
  const recurrentN = tf.slice(recurrent, [0, 2 * width], [-1, width]);
  const n = tf.tanh(tf.add(tf.slice(x, [0, 2 * width], [-1, width]), tf.mul(r, recurrentN)));
  const state = tf.add<tf.Tensor2D>(n, tf.mul(z, tf.sub(before, n))); // (1 - z) * n + z * h
  return { state, saved: [r, z, n, recurrentN] };
}

function backwardStep(dState: tf.Tensor2D, before: tf.Tensor2D, [r, z, n, recurrentN]: readonly tf.Tensor2D[]) {
  const dN = tf.mul(tf.mul(dState, tf.sub(1, z!)), tf.sub(1, tf.square(n!)));
  const dZ = tf.mul(tf.mul(dState, tf.sub(before, n!)), tf.mul(z!, tf.sub(1, z!)));
  const dR = tf.mul(tf.mul(dN, recurrentN!), tf.mul(r!, tf.sub(1, r!)));
  return {
    dBefore: tf.mul<tf.Tensor2D>(dState, z!),
    dX: tf.concat([dR, dZ, dN], 1) as tf.Tensor2D,
    dRecurrent: tf.concat([dR, dZ, tf.mul(dN, r!)], 1) as tf.Tensor2D,
  };
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
