/**
 * The plain implementation of attention between sequences: padded rows, and TensorFlow.js's products.
 *
 * Shapes as in `sequence-attention.ts`.
 */
import * as tf from '@tensorflow/tfjs';
import { dropoutMask, type MaskOfWeights } from '../dropout.js';
import { siluSlope } from './activations.js';
import { fromHeads, paddedRows, type Sequences, toHeads } from './padded-rows.js';
import type { SequenceAttention } from './attention-options.js';

const HIDDEN = 1e9;

/** @param inputs q, k, v @param dropout of the weights, end to end */
export function plainAttention(
  inputs: readonly tf.Tensor[],
  bias: tf.Tensor | undefined,
  dropout: MaskOfWeights | undefined,
  options: SequenceAttention,
): { value: tf.Tensor; saved: tf.Tensor[] } {
  const { heads, scale, weighting, divisor = 1 } = options;
  const [queries, keys] = [paddedRows(options.queries), paddedRows(options.keys)];
  const [q, k, v] = inputs.map((x, i) => toHeads(x, i === 0 ? queries : keys, heads)) as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
  const products = tf.mul(tf.matMul(q, k, false, true), scale); // [B, H, Tq, Tk]
  const scores = bias ? tf.add(products, bias) : products;
  const seen = visible(options); // [1 or B, 1, Tq or 1, Tk]
  const share = tf.mul(seen, 1 / divisor);
  const softmax = weighting === 'softmax';
  const weights = softmax
    ? tf.softmax(tf.add(scores, tf.mul(tf.sub(seen, 1), HIDDEN)))
    : tf.mul(tf.mul(scores, tf.sigmoid(scores)), share);
  const kept = dropout && padMask(dropoutMask(dropout.random, dropout.size, dropout.rate), options);
  const used = kept ? tf.mul(weights, kept) : weights;
  const slope = softmax ? weights : tf.mul(siluSlope(scores), share);
  return { value: fromHeads(tf.matMul(used, v), queries), saved: [q, k, v, used, slope, ...(kept ? [kept] : [])] };
}

/** @returns those of q, k and v, and of the bias if there is one */
export function plainAttentionGradient(
  dy: tf.Tensor,
  _: readonly tf.Tensor[],
  bias: tf.Tensor | undefined,
  saved: readonly tf.Tensor[],
  options: SequenceAttention,
): tf.Tensor[] {
  const [q, k, v, used, slope, kept] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor?];
  const [queries, keys] = [paddedRows(options.queries), paddedRows(options.keys)];
  const dOut = toHeads(dy, queries, options.heads);
  const dUsed = tf.matMul(dOut, v, false, true);
  const dWeights = kept ? tf.mul(dUsed, kept) : dUsed;
  const along = options.weighting === 'softmax' ? tf.sum(tf.mul(dWeights, slope), -1, true) : 0;
  const dScores = tf.mul(slope, tf.sub(dWeights, along));
  const dProducts = tf.mul(dScores, options.scale);
  return [
    fromHeads(tf.matMul(dProducts, k), queries),
    fromHeads(tf.matMul(dProducts, q, true), keys),
    fromHeads(tf.matMul(used, dOut, true), keys),
    ...(bias ? [tf.sum(dScores, bias.shape[1] === 1 ? [0, 1] : 0, true)] : []),
  ];
}

/** 1 where a query sees a key. A query in padding sees what it sees: nobody reads it. */
function visible({ queries, keys, causal }: SequenceAttention): tf.Tensor {
  if (!causal) return realPlaces(keys);
  const mask = new Float32Array(queries.longest * keys.longest);
  for (let i = 0; i < queries.longest; i++) mask.fill(1, i * keys.longest, i * keys.longest + i + 1);
  return tf.tensor4d(mask, [1, 1, queries.longest, keys.longest]); // keys in padding come after all tokens
}

/** 1 where a place holds a token, [B, 1, 1, T]. */
function realPlaces({ lengths, longest }: Sequences): tf.Tensor4D {
  const real = new Float32Array(lengths.length * longest);
  lengths.forEach((length, b) => real.fill(1, b * longest, b * longest + length));
  return tf.tensor4d(real, [lengths.length, 1, 1, longest]);
}

/** @returns [B, H, Tq, Tk] */
function padMask(mask: Float32Array, { queries, keys, heads }: SequenceAttention): tf.Tensor4D {
  const [rows, columns] = [queries.longest, keys.longest];
  const padded = new Float32Array(queries.lengths.length * heads * rows * columns);
  let from = 0;
  queries.lengths.forEach((n, b) => {
    const m = keys.lengths[b]!;
    for (let head = 0; head < heads; head++) {
      for (let i = 0; i < n; i++, from += m) {
        padded.set(mask.subarray(from, from + m), ((b * heads + head) * rows + i) * columns);
      }
    }
  });
  return tf.tensor4d(padded, [queries.lengths.length, heads, rows, columns]);
}
