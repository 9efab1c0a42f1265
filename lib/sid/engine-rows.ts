/**
 * Rows that stay on the engine while their distances to one set of centres after another are asked for: a matrix
 * product each, in chunks of rows, so that 100,000 x 384 rows and 256 centres fit.
 *
 * |x - c|^2 = |x|^2 + (|c|^2 - 2 x.c), and the first term says nothing about which centre is nearest: what is
 * computed is the part in brackets. In float32: near ties are the caller's to decide.
 *
 * Shapes: N rows, K centres, D width.
 */
import * as tf from '@tensorflow/tfjs';
import type { Vectors } from '../embed/npy.js';

const CHUNK = 4_194_304; // distances at a time: 16 MiB

export class EngineRows {
  private readonly whole: tf.Tensor2D;

  constructor(private readonly vectors: Vectors) {
    this.whole = tf.tensor2d(vectors.data, [vectors.rows, vectors.width]);
  }

  /**
   * Calls `visit` with the distances less |x|^2 of rows `first` to `first + rows` [rows, K].
   * @param centres [K, D]
   */
  forEachChunk(centres: Vectors, visit: (first: number, rows: number, distances: Float32Array) => void): void {
    const chunk = Math.max(1, Math.floor(CHUNK / centres.rows));
    const { rows: all, width } = this.vectors;
    const [c, squares] = centreTensors(centres);
    for (let first = 0; first < all; first += chunk) {
      const rows = Math.min(chunk, all - first);
      const distances = tf.tidy(() => {
        const x = rows === all ? this.whole : this.whole.slice([first, 0], [rows, width]);
        return x.matMul(c, false, true).add(squares);
      });
      visit(first, rows, distances.dataSync<'float32'>());
      distances.dispose();
    }
    tf.dispose([c, squares]);
  }

  /** The same of all rows at once [N, K]. */
  distances(centres: Vectors): Float32Array {
    const all = new Float32Array(this.vectors.rows * centres.rows);
    this.forEachChunk(centres, (first, _, distances) => all.set(distances, first * centres.rows));
    return all;
  }

  dispose(): void {
    this.whole.dispose();
  }
}

/** -2 c [K, D] and |c|^2 [K] */
function centreTensors({ rows, width, data }: Vectors): [tf.Tensor2D, tf.Tensor1D] {
  const squares = new Float32Array(rows);
  for (let k = 0; k < rows; k++) {
    let sum = 0;
    for (let j = k * width; j < (k + 1) * width; j++) sum += data[j]! * data[j]!;
    squares[k] = sum;
  }
  const scaled = new Float32Array(data.length);
  for (let at = 0; at < data.length; at++) scaled[at] = -2 * data[at]!;
  return [tf.tensor2d(scaled, [rows, width]), tf.tensor1d(squares)];
}
