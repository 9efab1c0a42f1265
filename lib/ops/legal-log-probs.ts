/**
 * Log-probability of chosen tokens among the legal ones of their row.
 *
 * Shapes: M rows, E legal tokens of all rows together, C of a row at most, K targets.
 */
import * as tf from '@tensorflow/tfjs';
import { customOp } from './custom-op.js';
import { sumRows } from './embedding.js';
import { type LegalSets, rowOfEach } from './legal-scores.js';

/** What a row without so many tokens is filled up with. */
const NEVER = -1e30;

/**
 * `log softmax(scores of the row)[token]`
 * @param scores of the legal tokens, in their order [E]
 * @param targets row and token of each [K]
 * @returns [K]
 * @throws Error for a target that is not legal
 */
export function legalLogProbs(
  scores: tf.Tensor1D,
  sets: LegalSets,
  targets: { row: Int32Array; token: Int32Array },
): tf.Tensor1D {
  const place = Int32Array.from(targets.row, (row, k) => placeOf(sets, row, targets.token[k]!, k));
  const rows = sets.start.length - 1;
  const int = (values: Int32Array): tf.Tensor1D => tf.tensor1d(values, 'int32');
  return customOp<tf.Rank.R1>(
    [scores],
    (scores) => {
      const all = tf.concat([scores!, tf.tensor1d([NEVER])]);
      const total = tf.logSumExp(tf.gather(all, paddedPlaces(sets)), 1); // [M]
      const value = tf.sub(tf.gather(scores!, int(place)), tf.gather(total, int(targets.row)));
      return { value, saved: [total] };
    },
    (dy, [scores], [total]) => {
      const rowOf = int(rowOfEach(sets));
      const perRow = sumRows(dy, int(targets.row), rows); // [M]
      const probs = tf.exp(tf.sub(scores!, tf.gather(total!, rowOf)));
      return [tf.sub(sumRows(dy, int(place), sets.token.length), tf.mul(probs, tf.gather(perRow, rowOf)))];
    },
  );
}

/** Place of a target among all legal tokens. */
function placeOf({ start, token }: LegalSets, row: number, wanted: number, target: number): number {
  const among = token.subarray(start[row], start[row + 1]).indexOf(wanted);
  if (among >= 0) return start[row]! + among;
  throw new Error(`targetLogProbs: expected target ${target} to be legal in row ${row}, got token ${wanted}`);
}

/** Places of each row's tokens, filled up with the place behind all of them, int32 [M, C]. */
function paddedPlaces({ start, token }: LegalSets): tf.Tensor2D {
  const rows = start.length - 1;
  let width = 1;
  for (let row = 0; row < rows; row++) width = Math.max(width, start[row + 1]! - start[row]!);
  const places = new Int32Array(rows * width).fill(token.length);
  for (let row = 0; row < rows; row++) {
    for (let e = start[row]!; e < start[row + 1]!; e++) places[row * width + e - start[row]!] = e;
  }
  return tf.tensor2d(places, [rows, width], 'int32');
}
