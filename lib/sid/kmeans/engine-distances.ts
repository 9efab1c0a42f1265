/**
 * Rows that stay on the engine while their distances to one set of centres after another are asked for: a matrix
 * product each, in chunks of rows, so that 100,000 x 384 rows and 256 centres fit.
 *
 * |x - c|^2 = |x|^2 + (|c|^2 - 2 x.c), and the first term says nothing about which centre is nearest: what is
 * computed is the part in brackets, as [x, 1] times [-2 c, |c|^2], so that nothing is left to add. In float32: near
 * ties are the caller's to decide.
 *
 * Shapes: N rows, K centres, D width.
 */
import * as tf from '@tensorflow/tfjs';
import type { Vectors } from '../../files/npy.js';

/** Rows of a chunk: with 256 centres 16 MiB of distances at a time. */
const CHUNK = 16_384;

/** The rows of [N, D] on the engine, until they are disposed. */
export class EngineDistances {
  private readonly chunks: tf.Tensor2D[] = [];

  /** @param vectors [N, D], finite */
  constructor(private readonly vectors: Vectors) {
    for (let first = 0; first < vectors.rows; first += CHUNK) this.chunks.push(chunkTensor(vectors, first));
  }

  /**
   * Calls `visit` with the distances less |x|^2 of rows `first` to `first + rows` [rows, K].
   * @param centres [K, D]
   */
  forEachChunk(centres: Vectors, visit: (first: number, rows: number, distances: Float32Array) => void): void {
    const c = centreTensor(centres);
    this.chunks.forEach((x, chunk) => {
      const distances = x.matMul<tf.Tensor2D>(c, false, true);
      visit(chunk * CHUNK, x.shape[0], distances.dataSync<'float32'>());
      distances.dispose();
    });
    c.dispose();
  }

  /** The same of all rows at once [N, K]. */
  distances(centres: Vectors): Float32Array {
    const all = new Float32Array(this.vectors.rows * centres.rows);
    this.forEachChunk(centres, (first, _, distances) => all.set(distances, first * centres.rows));
    return all;
  }

  /** Frees the tensors. */
  dispose(): void {
    tf.dispose(this.chunks);
  }
}

/**
 * Distances to one set of centres, less |x|^2 [N, K]: as `EngineDistances.distances`, with one chunk of rows on the
 * engine at a time.
 */
export function distancesOnce(vectors: Vectors, centres: Vectors): Float32Array {
  const all = new Float32Array(vectors.rows * centres.rows);
  const c = centreTensor(centres);
  for (let first = 0; first < vectors.rows; first += CHUNK) {
    const x = chunkTensor(vectors, first);
    const distances = x.matMul<tf.Tensor2D>(c, false, true);
    all.set(distances.dataSync<'float32'>(), first * centres.rows);
    tf.dispose([x, distances]);
  }
  c.dispose();
  return all;
}

/** [x, 1] of a chunk's rows [rows, D + 1] */
function chunkTensor({ rows, width, data }: Vectors, first: number): tf.Tensor2D {
  const count = Math.min(CHUNK, rows - first);
  const padded = new Float32Array(count * (width + 1)).fill(1);
  for (let i = 0; i < count; i++) {
    padded.set(data.subarray((first + i) * width, (first + i + 1) * width), i * (width + 1));
  }
  return tf.tensor2d(padded, [count, width + 1]);
}

/** [-2 c, |c|^2], [K, D + 1] */
function centreTensor({ rows, width, data }: Vectors): tf.Tensor2D {
  const padded = new Float32Array(rows * (width + 1));
  for (let k = 0, at = 0; k < rows; k++, at++) {
    let sum = 0;
    for (let j = k * width; j < (k + 1) * width; j++, at++) {
      padded[at] = -2 * data[j]!;
      sum += data[j]! * data[j]!;
    }
    padded[at] = sum;
  }
  return tf.tensor2d(padded, [rows, width + 1]);
}
