/**
 * Item vectors as an RQ-VAE sees them: times one number, some rows on the engine at a time. The catalogue as a whole
 * would take its size in tensors again, and that of its widest hidden layer with every pass.
 *
 * Shapes: N items, B rows of a batch or block, D width.
 */
import * as tf from '@tensorflow/tfjs';
import { rowOf, rowSlice, type Vectors } from '../../files/npy.js';

/** Rows of a block: 64 MiB in a hidden layer of 2,048. */
export const BLOCK = 8192;

/** The rows of [N, D], each number times `scale`. */
export class ScaledRows {
  /**
   * @param vectors [N, D], not copied
   * @param scale in float32
   */
  constructor(
    readonly vectors: Vectors,
    private readonly scale = 1,
  ) {}

  /** N */
  get count(): number {
    return this.vectors.rows;
  }

  /** Some rows by their numbers [B, D], copied. */
  pick(rows: readonly number[]): ScaledRows {
    const { width } = this.vectors;
    const data = new Float32Array(rows.length * width);
    rows.forEach((row, i) => data.set(rowOf(this.vectors, row), i * width));
    return new ScaledRows({ rows: rows.length, width, data }, this.scale);
  }

  /** Rows `from` to `to` (not included) [to - from, D], not copied. */
  slice(from: number, to: number): ScaledRows {
    return new ScaledRows(rowSlice(this.vectors, from, to), this.scale);
  }

  /** All rows on the engine [N, D]; the caller disposes them. */
  tensor(): tf.Tensor2D {
    return this.scaled(this.vectors);
  }

  /** Calls `visit` with one block of rows [B, D] after another, and disposes them. */
  forEachBlock(visit: (x: tf.Tensor2D, first: number) => void, block = BLOCK): void {
    for (let first = 0; first < this.count; first += block) {
      const x = this.scaled(rowSlice(this.vectors, first, Math.min(this.count, first + block)));
      visit(x, first);
      x.dispose();
    }
  }

  private scaled({ rows, width, data }: Vectors): tf.Tensor2D {
    return tf.tidy(() => tf.mul(tf.tensor2d(data, [rows, width]), this.scale));
  }
}
