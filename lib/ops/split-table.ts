/**
 * A table of which some rows learn and the others stand: two tensors, so that neither gradient nor optimizer state is
 * ever made for the rows that stand.
 *
 * Shapes: V rows of the whole table, n that learn, D width, N tokens, M rows of hidden state.
 */
import * as tf from '@tensorflow/tfjs';
import { customOp } from './custom-op.js';
import { embedding, sumRows } from './embedding.js';

export interface SplitTable {
  /** The rows that stand, in the order of the whole table [V - n, D]; made before the gradient. */
  frozen: tf.Tensor2D;
  /** The rows that learn [n, D]. */
  trained: tf.Tensor2D;
  /** Where in the whole table the first of `rows` stands; they follow one another. */
  first: number;
}

/** A whole table learns, unless it is a variable that is not trainable. */
export type Table = tf.Tensor2D | SplitTable;

/** The tensors of a table that learn. */
export function trainedRows(table: Table): tf.Tensor2D[] {
  if (!(table instanceof tf.Tensor)) return [table.trained];
  return table instanceof tf.Variable && !table.trainable ? [] : [table];
}

/** The same table with what `learningRows` told in other tensors of the same values (those that a gradient is given). */
export function withTrainedRows(table: Table, [rows]: readonly tf.Tensor[]): Table {
  if (!rows) return table;
  return table instanceof tf.Tensor ? (rows as tf.Tensor2D) : { ...table, trained: rows as tf.Tensor2D };
}

/** The whole table in one tensor, a copy if it is split. @returns [V, D] */
export function wholeTable(table: Table): tf.Tensor2D {
  if (table instanceof tf.Tensor) return table;
  const { frozen: still, trained: rows, first } = table;
  if (first === still.shape[0]) return tf.concat([still, rows], 0);
  return tf.tidy(() => tf.concat([tf.slice(still, 0, first), rows, tf.slice(still, first)], 0));
}

/** Rows of a table. @param ids int32 [N] @returns [N, D] */
export function gatherRows(table: Table, ids: tf.Tensor1D): tf.Tensor2D {
  return table instanceof tf.Tensor ? embedding(table, ids) : splitEmbedding(table, ids);
}

/** Rows of a split table; the gradient is that of the rows that learn alone. @param ids int32 [N] @returns [N, D] */
export function splitEmbedding({ frozen: still, trained: rows, first }: SplitTable, ids: tf.Tensor1D): tf.Tensor2D {
  const count = rows.shape[0];
  return customOp<tf.Rank.R2>(
    [rows],
    (rows) => {
      const { learns, inRows, inStill } = places(ids.dataSync<'int32'>(), first, count);
      const value = tf.where(
        learns,
        tf.gather(rows, tf.minimum(inRows, tf.scalar(count - 1, 'int32'))),
        tf.gather(still, inStill),
      );
      return { value, saved: [inRows] };
    },
    (dy, _, [inRows]) => [tf.slice(sumRows(dy, inRows as tf.Tensor1D, count + 1), 0, count)],
    { keepsInputs: false },
  );
}

/**
 * Where tokens stand in the two tensors.
 * @returns `learns` bool [N, 1]; `inRows` int32 [N], n for a token that stands; `inStill` int32 [N], 0 for one that learns
 */
function places(
  ids: Int32Array,
  first: number,
  count: number,
): { learns: tf.Tensor2D; inRows: tf.Tensor1D; inStill: tf.Tensor1D } {
  const among = (id: number): boolean => id >= first && id < first + count;
  const int = (of: (id: number) => number): tf.Tensor1D => tf.tensor1d(ids.map(of), 'int32');
  return {
    learns: tf.tensor2d(
      Uint8Array.from(ids, (id) => Number(among(id))),
      [ids.length, 1],
      'bool',
    ),
    inRows: int((id) => (among(id) ? id - first : count)),
    inStill: int((id) => (among(id) ? 0 : id < first ? id : id - count)),
  };
}

/** `hidden @ table^T`. @param hidden [M, D] @returns [M, V] */
export function tableLogits(hidden: tf.Tensor2D, table: Table): tf.Tensor2D {
  if (table instanceof tf.Tensor) return tf.matMul(hidden, table, false, true);
  const { frozen: still, trained: rows, first } = table;
  return tf.tidy(() => {
    const old = tf.matMul(hidden, still, false, true) as tf.Tensor2D;
    const fresh = tf.matMul(hidden, rows, false, true) as tf.Tensor2D;
    if (first === still.shape[0]) return tf.concat([old, fresh], 1);
    return tf.concat([tf.slice(old, 0, [-1, first]), fresh, tf.slice(old, [0, first], [-1, -1])], 1);
  });
}

/**
 * Gradient of `tableLogits`.
 * @param dLogits [M, V] @param hidden [M, D]
 * @returns that of `hidden` [M, D], then those of what learns, in the order of `learningRows`
 */
export function tableLogitsGradient(dLogits: tf.Tensor2D, hidden: tf.Tensor2D, table: Table): tf.Tensor2D[] {
  if (table instanceof tf.Tensor) {
    const ofTable = trainedRows(table).map(() => tf.matMul(dLogits, hidden, true) as tf.Tensor2D);
    return [tf.matMul(dLogits, table), ...ofTable];
  }
  const { frozen: still, trained: rows, first } = table;
  const count = rows.shape[0];
  const dFresh = tf.slice(dLogits, [0, first], [-1, count]); // [M, n]
  const before = tf.slice(dLogits, [0, 0], [-1, first]);
  const dOld = first === still.shape[0] ? before : tf.concat([before, tf.slice(dLogits, [0, first + count])], 1);
  return [tf.add(tf.matMul(dOld, still), tf.matMul(dFresh, rows)), tf.matMul(dFresh, hidden, true)];
}
