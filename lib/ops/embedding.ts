/**
 * Rows of a table, and the gradient that sums what arrives at the same row.
 */
import * as tf from '@tensorflow/tfjs';
import { fromBfloat16, gatherBfloat16, isBfloat16 } from './bfloat16.js';
import { customOp } from './custom-op.js';
import { givenUp, hasFused, runFused } from './fused.js';

/**
 * Rows of a table, whose gradient is that of the whole table.
 * @param table [V, D] @param ids int32 [N]: may be freed once the value is there @returns [N, D]
 */
export function embedding(table: tf.Tensor2D, ids: tf.Tensor1D): tf.Tensor2D {
  const rows = table.shape[0];
  return customOp<tf.Rank.R2>(
    [table],
    (table) => ({ value: rowsOf(table as tf.Tensor2D, ids), saved: [ids.clone()] }),
    (dy, _, [own]) => [sumRows(dy, own as tf.Tensor1D, rows)],
    {
      keepsInputs: false,
      addTo: hasFused('SidlabAddRows') ? (sum, dy, [own]) => addRows(sum, dy, own as tf.Tensor1D) : undefined,
    },
  );
}

/** Rows in float32, of a table in either precision; no gradient. @param ids int32 [N] @returns [N, D] */
export function rowsOf(table: tf.Tensor2D, ids: tf.Tensor1D): tf.Tensor2D {
  if (!isBfloat16(table)) return tf.gather(table, ids);
  return tf.tidy(() => fromBfloat16(gatherBfloat16(table, ids)));
}

/**
 * `table` plus each of `rows` at its place, where the output layer's gradient, the whole table, is there already.
 * @param table [V, D], given up: its memory is the sum's where nothing else looks at it
 * @param rows [N, D] @param to int32 [N], each in [0, V) @returns [V, D]
 */
export function addRows(table: tf.Tensor, rows: tf.Tensor, to: tf.Tensor1D): tf.Tensor {
  return tf.tidy(() => runFused('SidlabAddRows', [table, rows, to, givenUp(table)])[0]!);
}

/**
 * Sum of the rows of `x` that go to the same place: scatterND adds up, on every engine by a kernel of its own
 * (unsortedSegmentSum, the obvious one, takes a second where an engine lacks it).
 * @param x [N, ...] @param to int32 [N] @returns [rows, ...]
 */
export function sumRows(x: tf.Tensor, to: tf.Tensor1D, rows: number): tf.Tensor {
  return tf.scatterND(tf.reshape(to, [-1, 1]), x, [rows, ...x.shape.slice(1)]);
}

/** Each row times a number. @param x [N, D] @param factors [N, 1] @returns [N, D] */
export function scaleRows(x: tf.Tensor2D, factors: tf.Tensor2D): tf.Tensor2D {
  return customOp<tf.Rank.R2>(
    [x],
    (x) => ({ value: tf.mul(x!, factors), saved: [factors.clone()] }),
    (dy, _, [kept]) => [tf.mul(dy, kept!)],
    { keepsInputs: false },
  );
}

/**
 * Chosen rows, none chosen twice: the gradient then is a gather too.
 * @param x [N, D]
 * @param ids int32 [M], distinct
 * @param inverse int32 [N]: the index of each row in `ids`, M where it is not chosen; may be freed, as `ids`
 * @returns [M, D]
 */
export function chooseRows(x: tf.Tensor2D, ids: tf.Tensor1D, inverse: tf.Tensor1D): tf.Tensor2D {
  return customOp<tf.Rank.R2>(
    [x],
    (x) => ({ value: tf.gather(x, ids), saved: [inverse.clone()] }),
    (dy, _, [places]) => [tf.gather(tf.concat([dy, tf.zeros([1, dy.shape[1]!])], 0), places!)],
    { keepsInputs: false },
  );
}
