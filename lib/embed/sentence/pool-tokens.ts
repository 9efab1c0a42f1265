/**
 * Token vectors -> one vector a text.
 *
 * Follows sentence-transformers' Pooling and Normalize modules; `mean` is also MiniOneRec's masked mean. Padding is on
 * the right, so the mask is a length. Departures: 1. sums in float64; 2. a text of no tokens is a row of zeros.
 *
 * Shapes: B texts, T tokens of the longest, D width.
 */
import type { Pooling } from '../embed-options.js';

/** Options of `poolTokens`. */
export interface PoolOptions {
  /** Which tokens' vectors make the text's. */
  pooling: Pooling;
  /** Scale to length 1 (rows of zeros stay). */
  normalize: boolean;
}

/**
 * @param hidden [B * T * D]
 * @param lengths tokens of each text, the rest of its T is padding [B]
 * @returns [B * D]
 */
export function poolTokens(
  hidden: ArrayLike<number>,
  lengths: readonly number[],
  width: number,
  { pooling, normalize }: PoolOptions,
): Float32Array {
  const tokens = hidden.length / (lengths.length * width);
  const rows = new Float32Array(lengths.length * width);
  const sum = new Float64Array(width);
  lengths.forEach((length, b) => {
    const [first, last] = spanOf(pooling, length);
    sum.fill(0);
    for (let t = first; t < last; t++) {
      const from = (b * tokens + t) * width;
      for (let j = 0; j < width; j++) sum[j]! += hidden[from + j]!;
    }
    let scale = last > first ? 1 / (last - first) : 0;
    if (normalize && scale > 0) scale = 1 / Math.max(Math.sqrt(sum.reduce((squares, x) => squares + x * x, 0)), 1e-12);
    for (let j = 0; j < width; j++) rows[b * width + j] = sum[j]! * scale;
  });
  return rows;
}

/** Tokens that count: from, up to. */
function spanOf(pooling: Pooling, length: number): [number, number] {
  switch (pooling) {
    case 'mean':
      return [0, length];
    case 'cls':
      return [0, Math.min(1, length)];
    case 'last':
      return [Math.max(0, length - 1), length];
    default:
      throw new Error(`poolTokens: unknown pooling ${pooling satisfies never}`);
  }
}
