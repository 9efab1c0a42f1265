/**
 * A table of which some rows are trained and the others frozen: two tensors, so that neither gradient nor optimizer state
 * is ever made for the frozen rows.
 *
 * Shapes: V rows of the whole table, n trained ones, D width, N tokens, M rows of hidden state.
 */
import * as tf from '@tensorflow/tfjs';
import { customOp } from './custom-op.js';
import { fromBfloat16, isBfloat16, toBfloat16 } from './bfloat16.js';
import { embedding, rowsOf, sumRows } from './embedding.js';
import { halfOf } from './half-copies.js';
import { product16 } from './linear.js';
import type { Precision } from './precision.js';

/** A table in two tensors. */
export interface SplitTable {
  /** The frozen rows, in the order of the whole table [V - n, D]; made before the gradient. */
  frozen: tf.Tensor2D;
  /** The trained rows [n, D]. */
  trained: tf.Tensor2D;
  /** Index of the first trained row in the whole table; the others follow it. */
  first: number;
}

/** A whole table is trained, unless it is a variable that is not trainable. */
export type Table = tf.Tensor2D | SplitTable;

/** The trained tensors of a table. */
export function trainedRows(table: Table): tf.Tensor2D[] {
  if (!(table instanceof tf.Tensor)) return [table.trained];
  return table instanceof tf.Variable && !table.trainable ? [] : [table];
}

/** The same table with other tensors in place of `trainedRows(table)`: those of the same values that a gradient is given. */
export function withTrainedRows(table: Table, [rows]: readonly tf.Tensor[]): Table {
  if (!rows) return table;
  return table instanceof tf.Tensor ? (rows as tf.Tensor2D) : { ...table, trained: rows as tf.Tensor2D };
}

/** The whole table in one float32 tensor, a copy if it is split or in bfloat16. @returns [V, D] */
export function wholeTable(table: Table): tf.Tensor2D {
  if (table instanceof tf.Tensor) return isBfloat16(table) ? fromBfloat16(table) : table;
  const { trained, first } = table;
  return tf.tidy(() => {
    const frozen = wholeTable(table.frozen);
    if (first === frozen.shape[0]) return tf.concat([frozen, trained], 0);
    return tf.concat([tf.slice(frozen, 0, first), trained, tf.slice(frozen, first)], 0);
  });
}

/** Rows of a table. @param ids int32 [N] @returns [N, D] */
export function gatherRows(table: Table, ids: tf.Tensor1D): tf.Tensor2D {
  return table instanceof tf.Tensor ? embedding(table, ids) : splitEmbedding(table, ids);
}

/** Rows of a split table; the gradient is that of the trained rows alone. @param ids int32 [N] @returns [N, D] */
export function splitEmbedding({ frozen, trained, first }: SplitTable, ids: tf.Tensor1D): tf.Tensor2D {
  const count = trained.shape[0];
  return customOp<tf.Rank.R2>(
    [trained],
    (trained) => {
      const { isTrained, inTrained, inFrozen } = places(ids.dataSync<'int32'>(), first, count);
      const value = tf.where(
        isTrained,
        tf.gather(trained!, tf.minimum(inTrained, tf.scalar(count - 1, 'int32'))),
        rowsOf(frozen, inFrozen),
      );
      return { value, saved: [inTrained] };
    },
    (dy, _, [inTrained]) => [tf.slice(sumRows(dy, inTrained as tf.Tensor1D, count + 1), 0, count)],
    { keepsInputs: false },
  );
}

/**
 * Rows of tokens in the two tensors.
 * @returns `isTrained` bool [N, 1]; `inTrained` int32 [N], n for a frozen token; `inFrozen` int32 [N], 0 for a trained one
 */
function places(
  ids: Int32Array,
  first: number,
  count: number,
): { isTrained: tf.Tensor2D; inTrained: tf.Tensor1D; inFrozen: tf.Tensor1D } {
  const among = (id: number): boolean => id >= first && id < first + count;
  const int = (of: (id: number) => number): tf.Tensor1D => tf.tensor1d(ids.map(of), 'int32');
  return {
    isTrained: tf.tensor2d(
      Uint8Array.from(ids, (id) => Number(among(id))),
      [ids.length, 1],
      'bool',
    ),
    inTrained: int((id) => (among(id) ? id - first : count)),
    inFrozen: int((id) => (among(id) ? 0 : id < first ? id : id - count)),
  };
}

/** `hidden @ table^T`, in either precision as `linear`. @param hidden float32 [M, D] @returns [M, V] */
export function tableLogits(hidden: tf.Tensor2D, table: Table, precision: Precision = 'float32'): tf.Tensor2D {
  return tf.tidy(() => {
    const half = precision === 'bfloat16' ? toBfloat16(hidden) : undefined;
    const times = (rows: tf.Tensor2D): tf.Tensor2D =>
      half ? product16(half, halfOf(rows), false, true) : tf.matMul(hidden, rows, false, true);
    if (table instanceof tf.Tensor) return times(table);
    const { frozen, trained, first } = table;
    const [old, fresh] = [times(frozen), times(trained)];
    if (first === frozen.shape[0]) return tf.concat([old, fresh], 1);
    return tf.concat([tf.slice(old, 0, [-1, first]), fresh, tf.slice(old, [0, first], [-1, -1])], 1);
  });
}

/**
 * Gradient of `tableLogits`.
 * @param dLogits [M, V] @param hidden [M, D]
 * @returns that of `hidden` [M, D], then those of the trained tensors, in the order of `trainedRows`
 */
export function tableLogitsGradient(
  dLogits: tf.Tensor2D,
  hidden: tf.Tensor2D,
  table: Table,
  precision: Precision = 'float32',
): tf.Tensor2D[] {
  const half = precision === 'bfloat16';
  const ofHidden = (dy: tf.Tensor2D, rows: tf.Tensor2D): tf.Tensor2D =>
    half ? product16(toBfloat16(dy), halfOf(rows)) : tf.matMul(dy, rows);
  const ofRows = (dy: tf.Tensor2D): tf.Tensor2D =>
    half ? product16(toBfloat16(dy), toBfloat16(hidden), true) : tf.matMul(dy, hidden, true);
  if (table instanceof tf.Tensor) {
    return [ofHidden(dLogits, table), ...trainedRows(table).map(() => ofRows(dLogits))];
  }
  const { frozen, trained, first } = table;
  const count = trained.shape[0];
  const dFresh = tf.slice(dLogits, [0, first], [-1, count]); // [M, n]
  const before = tf.slice(dLogits, [0, 0], [-1, first]);
  const dOld = first === frozen.shape[0] ? before : tf.concat([before, tf.slice(dLogits, [0, first + count])], 1);
  return [tf.add(ofHidden(dOld, frozen), ofHidden(dFresh, trained)), ofRows(dFresh)];
}
