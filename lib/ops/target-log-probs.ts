/**
 * Log-probability of chosen tokens: the output layer only where a target is, the logits never copied.
 *
 * Shapes: M rows of hidden state, K targets, V vocabulary, D width. A row may carry several targets (the first tokens
 * of all branches of a group hang on the trunk's last node).
 */
import * as tf from '@tensorflow/tfjs';
import { customOp } from './custom-op.js';
import { sumRows } from './embedding.js';
import { learningRows, tableLogits, tableLogitsGradient, withLearningRows } from './split-table.js';
import type { Table } from './split-table.js';

export interface Targets {
  /** Row of the hidden states of each target, int32 [K]. */
  row: Int32Array;
  /** Token of each target, int32 [K]. */
  token: Int32Array;
}

/**
 * `log softmax(hidden @ output^T)[row, token]`
 * @param hidden [M, D]
 * @param output the output layer [V, D], of which some rows may learn alone
 * @param legal added to the logits [M, V]: 0 where a token is legal, a large negative number elsewhere; default all
 *   legal (normalised over the whole vocabulary)
 * @returns [K]
 */
export function targetLogProbs(hidden: tf.Tensor2D, output: Table, targets: Targets, legal?: tf.Tensor2D): tf.Tensor1D {
  const rows = hidden.shape[0];
  const count = targets.row.length;
  const pairs = new Int32Array(2 * count);
  for (let k = 0; k < count; k++) {
    pairs[2 * k] = targets.row[k]!;
    pairs[2 * k + 1] = targets.token[k]!;
  }
  const indices = tf.tensor2d(pairs, [count, 2], 'int32');
  const rowOf = tf.tensor1d(targets.row, 'int32');
  return customOp<tf.Rank.R1>(
    [hidden, ...learningRows(output)],
    (hidden, ...learning) => {
      const logits = tableLogits(hidden as tf.Tensor2D, withLearningRows(output, learning)); // [M, V]
      const shown = legal ? tf.add(logits, legal) : logits;
      const top = tf.max(shown, 1, true);
      const shifted = tf.sub(shown, top);
      const exp = tf.exp(shifted);
      const total = tf.sum(exp, 1, true); // [M, 1]
      const probs = tf.div(exp, total);
      const logTotal = tf.gather(tf.reshape(tf.log(total), [rows]), rowOf); // [K]
      return { value: tf.sub(tf.gatherND(shifted, indices), logTotal), saved: [probs, indices, rowOf] };
    },
    (dy, [hidden, ...learning], [probs, indices, rowOf]) => {
      const perRow = sumRows(dy, rowOf as tf.Tensor1D, rows); // [M]
      const dLogits = tf.sub(
        tf.scatterND(indices!, dy, [rows, probs!.shape[1]!]),
        tf.mul(probs!, tf.reshape(perRow, [rows, 1])),
      ) as tf.Tensor2D; // [M, V]
      return tableLogitsGradient(dLogits, hidden as tf.Tensor2D, withLearningRows(output, learning));
    },
  );
}
