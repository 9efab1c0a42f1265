/**
 * Losses of a batch of rows, each a mean over rows.
 *
 * Cross-entropy: -log softmax(h @ E^T)[target]. Binary (SASRec's own): -log sigmoid(h . E[target]), and
 * -log(1 - sigmoid(h . E[n])) for each drawn item n, the mean over all of them. Distributionally robust term of
 * MiniOneRec's baselines (DROS, Yang et al., SIGIR 2023): with scores s and item weights p,
 * log(sum over items i other than the target of exp(p_i s_i^2 / beta) + exp(p_t (s_t - 1)^2 / beta)).
 *
 * Departure: the term is computed with the largest exponent taken out, so that large scores do not overflow.
 *
 * Shapes: B rows, V items, D width, n items drawn a row.
 */
import * as tf from '@tensorflow/tfjs';
import { customOp } from '../../ops/custom-op.js';
import { oneHot } from '../../ops/basic.js';
import { embedding } from '../../ops/embedding.js';
import { targetLogProbs } from '../../ops/target-log-probs.js';
import type { Random } from '../../support/random.js';

/** log p of each target over all items. @param hidden [B, D] @param table [V, D] @returns [B] */
export function targetsLogProbs(hidden: tf.Tensor2D, table: tf.Tensor2D, targets: Int32Array): tf.Tensor1D {
  const row = Int32Array.from(targets, (_, b) => b);
  return targetLogProbs(hidden, table, { row, token: targets });
}

/**
 * Products of each row with the vectors of its own items.
 * @param hidden [B, D] @param table [V, D] @param ids B lists of m items end to end @returns [B, m]
 */
export function rowScores(hidden: tf.Tensor2D, table: tf.Tensor2D, ids: Int32Array): tf.Tensor2D {
  const [rows, width] = hidden.shape;
  const each = ids.length / rows;
  const chosen = embedding(table, tf.tensor1d(ids, 'int32')); // [B * m, D]
  const blocks = (x: tf.Tensor, m: number): tf.Tensor3D => tf.reshape(x, [rows, m, width]);
  return customOp<tf.Rank.R2>(
    [hidden, chosen],
    (hidden, chosen) => ({
      value: tf.reshape(tf.matMul(blocks(chosen!, each), blocks(hidden!, 1), false, true), [rows, each]),
    }),
    (dy, [hidden, chosen]) => {
      const of = tf.reshape(dy, [rows, each, 1]);
      return [
        tf.reshape(tf.matMul(of, blocks(chosen!, each), true), [rows, width]),
        tf.reshape(tf.matMul(of, blocks(hidden!, 1)), [rows * each, width]),
      ];
    },
  );
}

/** Mean over targets and drawn items. @param scores the target's first [B, 1 + n] */
export function binaryLoss(scores: tf.Tensor2D): tf.Scalar {
  const [, each] = scores.shape;
  const signs = tf.tensor2d([-1, ...Array.from({ length: each - 1 }, () => 1)], [1, each]);
  return tf.mean(tf.softplus(tf.mul(scores, signs))); // -log sigmoid(s) = softplus(-s)
}

/** Items drawn evenly, never the row's target. @returns B lists of the target and n items, end to end */
export function withNegatives(targets: Int32Array, negatives: number, items: number, random: Random): Int32Array {
  const ids = new Int32Array(targets.length * (1 + negatives));
  targets.forEach((target, b) => {
    const at = b * (1 + negatives);
    ids[at] = target;
    for (let i = 1; i <= negatives; i++) {
      const drawn = random.int(items - 1);
      ids[at + i] = drawn < target ? drawn : drawn + 1;
    }
  });
  return ids;
}

/**
 * Either loss from the scores of all items, with MiniOneRec's term.
 * @param scores [B, V] @param drawn lists of `withNegatives`, of the binary loss alone @param weights of the items [V]
 */
export function robustLoss(
  scores: tf.Tensor2D,
  targets: Int32Array,
  drawn: Int32Array | undefined,
  { alpha, beta, weights }: { alpha: number; beta: number; weights: tf.Tensor1D },
): tf.Scalar {
  const isTarget = tf.tidy(() => oneHot(tf.tensor1d(targets, 'int32'), scores.shape[1]));
  const main = drawn
    ? binaryOfAll(scores, drawn)
    : tf.neg(tf.mean(tf.sub(tf.sum(tf.mul(scores, isTarget), 1), tf.logSumExp(scores, 1))));
  const shifted = tf.sub(scores, isTarget); // s - 1 at the target, s elsewhere
  const robust = tf.mean(tf.logSumExp(tf.mul(tf.square(shifted), tf.div(weights, beta)), 1));
  return tf.add(main, tf.mul(robust, alpha));
}

/** The binary loss from the scores of all items. */
function binaryOfAll(scores: tf.Tensor2D, drawn: Int32Array): tf.Scalar {
  const [rows, items] = scores.shape;
  const each = drawn.length / rows;
  const [wanted, unwanted] = [new Float32Array(rows * items), new Float32Array(rows * items)];
  drawn.forEach((item, i) => (i % each === 0 ? wanted : unwanted)[Math.floor(i / each) * items + item]!++);
  const of = (counts: Float32Array, sign: number): tf.Scalar =>
    tf.sum(tf.mul(tf.softplus(tf.mul(scores, sign)), tf.tensor2d(counts, [rows, items])));
  return tf.div(tf.add(of(wanted, -1), of(unwanted, 1)), drawn.length);
}

/** ((times seen as a target + 1) / sum)^0.05, MiniOneRec's weights. @returns [V] */
export function propensities(targets: Iterable<number>, items: number): Float32Array {
  const counts = new Float64Array(items).fill(1);
  for (const target of targets) counts[target]!++;
  const total = counts.reduce((sum, n) => sum + n, 0);
  return Float32Array.from(counts, (n) => (n / total) ** 0.05);
}
