/**
 * Log-probability of chosen tokens: the output layer only where a target is, the logits never copied.
 *
 * Shapes: M rows of hidden state, K targets, V vocabulary, D width. A row may carry several targets (the first tokens
 * of all completions of a group hang on the prompt's last node).
 */
import * as tf from '@tensorflow/tfjs';
import { customOp } from './custom-op.js';
import { sumRows } from './embedding.js';
import { chooseImplementation, runFused } from './fused.js';
import { legalLogProbs } from './legal-log-probs.js';
import { legalScores, type LegalSets } from './legal-scores.js';
import type { Precision } from './precision.js';
import { trainedRows, type Table, tableLogits, tableLogitsGradient, withTrainedRows } from './split-table.js';

/** Which tokens' log-probabilities are asked for. K targets. */
export interface Targets {
  /** Row of the hidden states of each target, int32 [K]. */
  row: Int32Array;
  /** Token of each target, int32 [K]. */
  token: Int32Array;
}

/** The targets as tensors. */
interface TargetTensors {
  /** int32 [K] */
  row: tf.Tensor1D;
  /** int32 [K] */
  token: tf.Tensor1D;
}

interface Implementation {
  /** @returns log p of each target [K], and the log of each row's sum of exp [M] */
  forward(logits: tf.Tensor2D, targets: TargetTensors): tf.Tensor[];
  /** @returns dLogits [M, V] */
  backward(dy: tf.Tensor, logits: tf.Tensor2D, targets: TargetTensors, total: tf.Tensor): tf.Tensor2D;
}

const plain: Implementation = {
  forward(logits, { row, token }) {
    const total = tf.logSumExp(logits, 1); // [M]
    return [tf.sub(tf.gatherND(logits, tf.stack([row, token], 1)), tf.gather(total, row)), total];
  },
  backward(dy, logits, { row, token }, total) {
    const [rows] = logits.shape;
    const probs = tf.exp(tf.sub(logits, tf.reshape(total, [rows, 1])));
    const perRow = tf.reshape(sumRows(dy, row, rows), [rows, 1]);
    return tf.sub(tf.scatterND(tf.stack([row, token], 1), dy, logits.shape), tf.mul(probs, perRow));
  },
};

const fused: Implementation = {
  forward: (logits, { row, token }) => runFused('SidlabTargetLogProbs', [logits, row, token]),
  backward: (dy, logits, { row, token }, total) =>
    runFused('SidlabTargetLogProbsGrad', [dy, logits, row, token, total])[0] as tf.Tensor2D,
};

/**
 * `log softmax(hidden @ output^T)[row, token]`
 * @param hidden [M, D]
 * @param output the output layer [V, D], of which some rows may be trained alone
 * @param legal tokens of each row that the probabilities are normalised over, the targets' among them; the rest of the
 *   output layer is not computed. Default the whole vocabulary
 * @param precision of the output layer's product over the whole vocabulary; logits and what follows are float32
 * @returns [K]
 * @throws Error for a target that is not legal
 */
export function targetLogProbs(
  hidden: tf.Tensor2D,
  output: Table,
  targets: Targets,
  legal?: LegalSets,
  precision?: Precision,
): tf.Tensor1D {
  if (legal) return legalLogProbs(legalScores(hidden, output, legal), legal, targets);
  const { forward, backward } = chooseImplementation('SidlabTargetLogProbs', plain, fused);
  const tensors = { row: tf.tensor1d(targets.row, 'int32'), token: tf.tensor1d(targets.token, 'int32') };
  return customOp<tf.Rank.R1>(
    [hidden, ...trainedRows(output)],
    (hidden, ...rows) => {
      const logits = tableLogits(hidden as tf.Tensor2D, withTrainedRows(output, rows), precision); // [M, V]
      const [value, total] = forward(logits, tensors);
      return { value: value!, saved: [logits, total!, tensors.row, tensors.token] };
    },
    (dy, [hidden, ...rows], [logits, total, row, token]) => {
      const kept = { row: row as tf.Tensor1D, token: token as tf.Tensor1D };
      const dLogits = backward(dy, logits as tf.Tensor2D, kept, total!);
      return tableLogitsGradient(dLogits, hidden as tf.Tensor2D, withTrainedRows(output, rows), precision);
    },
  );
}
