/**
 * Sequences of different length: their tokens flat, one after the other, and how they lie in padded rows. Everything
 * but attention is computed on the flat tokens, so that padding costs nothing there.
 *
 * Shapes: B sequences, T the longest of them, N tokens.
 */
import * as tf from '@tensorflow/tfjs';

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
  /** 1 where a place holds a token, [B, 1, 1, T]. */
  real: tf.Tensor4D;
}

/** @param lengths of the sequences, each at least 1; the caller owns the tensors (`disposePadded`) */
export function padRows(lengths: readonly number[]): PaddedRows {
  const rows = lengths.length;
  const length = lengths.reduce((most, n) => Math.max(most, n), 1);
  const tokens = lengths.reduce((sum, n) => sum + n, 0);
  const token = new Int32Array(rows * length).fill(tokens);
  const place = new Int32Array(tokens);
  const real = new Float32Array(rows * length);
  let at = 0;
  lengths.forEach((count, b) => {
    for (let i = 0; i < count; i++, at++) {
      token[b * length + i] = at;
      place[at] = b * length + i;
      real[b * length + i] = 1;
    }
  });
  return {
    rows,
    length,
    token: tf.tensor1d(token, 'int32'),
    place: tf.tensor1d(place, 'int32'),
    real: tf.tensor4d(real, [rows, 1, 1, length]),
  };
}

/** Frees its tensors. */
export function disposePadded({ token, place, real }: PaddedRows): void {
  tf.dispose([token, place, real]);
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
