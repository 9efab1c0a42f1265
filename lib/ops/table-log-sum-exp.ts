/**
 * What a row's logits sum up to over the whole vocabulary, without the logits: by chunks of the table, so that neither
 * they nor a copy of them is ever in memory at once.
 *
 * Shapes: R rows of hidden state, D width, V vocabulary.
 */
import * as tf from '@tensorflow/tfjs';
import { chooseImplementation, runFused } from './fused.js';
import type { Precision } from './precision.js';
import { type Table, tableLogits } from './split-table.js';

/** Logits at a time: 64 MB. */
const CHUNK = 1 << 24;

/** Rows of a chunk are a multiple of this: a slice of the table then is no copy. */
const ALIGNED = 16;

const plain = (logits: tf.Tensor2D): tf.Tensor1D => tf.logSumExp(logits, 1);

/** One pass over the logits: the log-probabilities of no targets. */
const fused = (logits: tf.Tensor2D): tf.Tensor1D => {
  const none = tf.tensor1d([], 'int32');
  return runFused('SidlabTargetLogProbs', [logits, none, none])[1] as tf.Tensor1D;
};

/**
 * `log(sum(exp(hidden @ table^T)))` of every row, without a gradient.
 * In bfloat16, whose tables are not cut, the chunks are of rows.
 * @param hidden [R, D] @param table [V, D] @param precision of the products @param chunk logits at a time
 * @returns [R]
 */
export function tableLogSumExp(
  hidden: tf.Tensor2D,
  table: Table,
  precision: Precision = 'float32',
  chunk: number = CHUNK,
): tf.Tensor1D {
  const total = chooseImplementation('SidlabTargetLogProbs', plain, fused);
  const parts = table instanceof tf.Tensor ? [table] : [table.frozen, table.trained];
  if (precision === 'bfloat16') {
    const width = parts.reduce((rows, part) => rows + part.shape[0], 0);
    return tf.tidy(() => {
      const runs = cut(hidden.shape[0], width, chunk);
      return tf.concat(
        runs.map(([from, count]) => tf.tidy(() => total(tableLogits(tf.slice(hidden, from, count), table, precision)))),
      );
    });
  }
  return tf.tidy(() => {
    const totals = parts.flatMap((part) =>
      cut(part.shape[0], hidden.shape[0], chunk).map(([from, count]) =>
        tf.tidy(() => total(tableLogits(hidden, count === part.shape[0] ? part : tf.slice(part, from, count)))),
      ),
    );
    return totals.length === 1 ? totals[0]! : tf.logSumExp(tf.stack(totals), 0);
  });
}

/** Runs of a table's rows, of like size. @returns [first, rows] */
function cut(tableRows: number, rows: number, chunk: number): [number, number][] {
  const runs = Math.max(1, Math.ceil((tableRows * rows) / chunk));
  const size = Math.ceil(tableRows / runs / ALIGNED) * ALIGNED;
  const cuts: [number, number][] = [];
  for (let from = 0; from < tableRows; from += size) cuts.push([from, Math.min(size, tableRows - from)]);
  return cuts;
}
