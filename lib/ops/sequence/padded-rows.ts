/**
 * Sequences of different length: their tokens flat, one after the other, and how they would lie in padded rows.
 *
 * Shapes: B sequences, T the longest of them, N tokens.
 */
import * as tf from '@tensorflow/tfjs';

/** Flat tokens of sequences, each of at least one. */
export interface Sequences {
  /** Tokens of each. */
  lengths: readonly number[];
  /** T */
  longest: number;
  /** Where each begins, and N at the end: int32 [B + 1]. */
  starts: tf.Tensor1D;
}

/** The caller owns its tensor. */
export function sequencesOf(lengths: readonly number[]): Sequences {
  const starts = new Int32Array(lengths.length + 1);
  lengths.forEach((length, b) => (starts[b + 1] = starts[b]! + length));
  const longest = lengths.reduce((most, n) => Math.max(most, n), 1);
  return { lengths, longest, starts: tf.tensor1d(starts, 'int32') };
}

/** Where flat tokens lie in padded rows; a sequence begins at place 0 of its row. */
export interface PaddedRows {
  /** B */
  rows: number;
  /** T */
  length: number;
  /** Token of each place, int32 [B * T]; N, one past the last token, in padding. */
  token: tf.Tensor1D;
  /** Place of each token, int32 [N]. */
  place: tf.Tensor1D;
}

/** Within a scope that frees them. */
export function paddedRows({ lengths, longest: length }: Sequences): PaddedRows {
  const tokens = lengths.reduce((sum, n) => sum + n, 0);
  const token = new Int32Array(lengths.length * length).fill(tokens);
  const place = new Int32Array(tokens);
  let at = 0;
  lengths.forEach((count, b) => {
    for (let i = 0; i < count; i++, at++) {
      token[b * length + i] = at;
      place[at] = b * length + i;
    }
  });
  return { rows: lengths.length, length, token: tf.tensor1d(token, 'int32'), place: tf.tensor1d(place, 'int32') };
}

/** Zeros in padding. @param x [N, D] @returns [B, H, T, D / H] */
export function toHeads(x: tf.Tensor, { rows, length, token }: PaddedRows, heads: number): tf.Tensor4D {
  const width = x.shape[1]!;
  const padded = tf.gather(tf.concat([x, tf.zeros([1, width])], 0), token); // [B * T, D]
  return tf.transpose(tf.reshape(padded, [rows, length, heads, width / heads]), [0, 2, 1, 3]) as tf.Tensor4D;
}

/** What lies in padding is dropped. @param x [B, H, T, d] @returns [N, H * d] */
export function fromHeads(x: tf.Tensor, { rows, length, place }: PaddedRows): tf.Tensor2D {
  const width = x.shape[1]! * x.shape[3]!;
  return tf.gather(tf.reshape<tf.Rank.R2>(tf.transpose(x, [0, 2, 1, 3]), [rows * length, width]), place);
}
