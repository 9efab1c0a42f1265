/**
 * Attention between sequences, with what the fused attention over forests lacks: dropout of the probabilities, a bias
 * that is trained, weights without a softmax, keys of other sequences than the queries.
 *
 * Shapes: B sequences, Tq and Tk the longest of queries and keys, Nq and Nk their tokens, H heads, D width, d = D / H.
 */
import * as tf from '@tensorflow/tfjs';
import type { Random } from '../../support/random.js';
import { customOp } from '../custom-op.js';
import { dropoutMask } from '../dropout.js';
import { siluSlope } from './activations.js';
import { fromHeads, type PaddedRows, toHeads } from './padded-rows.js';

const HIDDEN = 1e9;

/** How queries attend to keys. */
export interface PaddedAttention {
  /** The sequences of the queries. */
  queries: PaddedRows;
  /** The sequences of the keys; of sequence b the keys are those of sequence b. */
  keys: PaddedRows;
  /** H */
  heads: number;
  /** What scores are multiplied with, such as 1 / sqrt(d). */
  scale: number;
  /** Whether a query sees only the keys at its own place and before. */
  causal: boolean;
  /** `softmax`, or `silu`: silu(score) / divisor, which does not sum up to 1 (HSTU). */
  weighting: 'softmax' | 'silu';
  /** Of `silu`: the same for every batch, or a row's values would depend on the rows beside it. Default 1. */
  divisor?: number;
  /** Added to the scores, trained: [1, H, Tq, Tk], or [1, 1, Tq, Tk] for all heads. Default none. */
  bias?: tf.Tensor4D | undefined;
  /** Weights are set to zero at this rate, the others grow. Default none. */
  dropout?: { random: Random; rate: number } | undefined;
}

/** @param q [Nq, D] @param k [Nk, D] @param v [Nk, D] @returns [Nq, D] */
export function paddedAttention(q: tf.Tensor2D, k: tf.Tensor2D, v: tf.Tensor2D, options: PaddedAttention): tf.Tensor2D {
  const { queries, keys, heads, scale, weighting, divisor = 1, bias, dropout } = options;
  return customOp<tf.Rank.R2>(
    bias ? [q, k, v, bias] : [q, k, v],
    (q, k, v, bias) => {
      const [qb, kb, vb] = [toHeads(q!, queries, heads), toHeads(k!, keys, heads), toHeads(v!, keys, heads)];
      const products = tf.mul(tf.matMul(qb, kb, false, true), scale); // [B, H, Tq, Tk]
      const scores = bias ? tf.add(products, bias) : products;
      const seen = visible(options); // [1 or B, 1, Tq, Tk]
      const weights = weighting === 'softmax' ? softmaxOf(scores, seen) : siluOf(scores, tf.mul(seen, 1 / divisor));
      const kept = dropout && tf.tensor(dropoutMask(dropout.random, weights.size, dropout.rate), weights.shape);
      const used = kept ? tf.mul(weights, kept) : weights;
      const slope = weighting === 'softmax' ? weights : tf.mul(siluSlope(scores), tf.mul(seen, 1 / divisor));
      return {
        value: fromHeads(tf.matMul(used, vb), queries),
        saved: [qb, kb, vb, used, slope, ...(kept ? [kept] : [])],
      };
    },
    (dy, _, [qb, kb, vb, used, slope, kept]) => {
      const dOut = toHeads(dy, queries, heads);
      const dUsed = tf.matMul(dOut, vb!, false, true);
      const dWeights = kept ? tf.mul(dUsed, kept) : dUsed;
      const dScores =
        weighting === 'softmax'
          ? tf.mul(slope!, tf.sub(dWeights, tf.sum(tf.mul(dWeights, slope!), -1, true)))
          : tf.mul(slope!, dWeights);
      const dProducts = tf.mul(dScores, scale);
      return [
        fromHeads(tf.matMul(dProducts, kb!), queries),
        fromHeads(tf.matMul(dProducts, qb!, true), keys),
        fromHeads(tf.matMul(used!, dOut, true), keys),
        ...(bias ? [tf.sum(dScores, bias.shape[1] === 1 ? [0, 1] : 0, true)] : []),
      ];
    },
    { keepsInputs: false },
  );
}

/** 1 where a query sees a key. A query in padding sees what it sees: nobody reads it. */
function visible({ queries, keys, causal }: PaddedAttention): tf.Tensor {
  if (!causal) return keys.real;
  const mask = new Float32Array(queries.length * keys.length);
  for (let i = 0; i < queries.length; i++) mask.fill(1, i * keys.length, i * keys.length + i + 1);
  return tf.tensor4d(mask, [1, 1, queries.length, keys.length]); // keys in padding come after all tokens
}

function softmaxOf(scores: tf.Tensor, seen: tf.Tensor): tf.Tensor {
  return tf.softmax(tf.add(scores, tf.mul(tf.sub(seen, 1), HIDDEN)));
}

function siluOf(scores: tf.Tensor, factor: tf.Tensor): tf.Tensor {
  return tf.mul(tf.mul(scores, tf.sigmoid(scores)), factor);
}
