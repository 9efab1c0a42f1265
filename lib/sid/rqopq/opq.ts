/**
 * Optimized product quantization (Ge et al., CVPR 2013, the non-parametric way): a rotation under which the vectors fall
 * into parts that are clustered one by one. Parts and rotation are fitted in turn: k-means of every part, going on from
 * its centres; then the rotation that brings the vectors closest to them.
 *
 * A part's codebook is given among the vectors themselves: its centres, zero elsewhere, rotated back. Parts are orthogonal,
 * so the sum of an item's codes approximates its vector and the nearest codes, level by level, are those of the parts: a
 * SID of a product is read as one of residuals is. Departure: the first rotation deals columns out by their variance,
 * the largest to the part that has the smallest sum so far, in place of none or a random one.
 *
 * Shapes: N rows, D width, P parts, W width of a part, K codes of a part.
 */
import * as tf from '@tensorflow/tfjs';
import type { Vectors } from '../../files/npy.js';
import { valuesOf } from '../../support/values-of.js';
import { kmeans } from '../kmeans/kmeans.js';
import type { KmeansResult } from '../kmeans/lloyd.js';
import { nearestRotation } from './nearest-rotation.js';

/** How often, and how long. */
export interface OpqOptions {
  /** K of each part [P]. */
  sizes: readonly number[];
  /** Rotations that are fitted; 0 leaves the first. */
  rotations: number;
  /** Lloyd iterations of a part, each time. */
  iterations: number;
  seed: number | string;
}

/** @param vectors [N, D], D at least P @returns codebooks [K, D] and codes [N], a part */
export function opq(vectors: Vectors, options: OpqOptions): { codebook: Vectors; codes: Int32Array }[] {
  const { sizes, rotations, iterations, seed } = options;
  const { rows, width, data } = vectors;
  const columns = partColumns(vectors, sizes.length);
  const starts = columns.map((_, part) => columns.slice(0, part).reduce((sum, own) => sum + own.length, 0));
  const x = tf.tensor2d(data, [rows, width]);
  let rotation = permutation(columns.flat(), width);
  let parts: KmeansResult[] = [];
  for (let round = 0; round <= rotations; round++) {
    const rotated = valuesOf(() => tf.matMul(x, rotation));
    parts = columns.map((own, part) => {
      const slice = columnsOf({ rows, width, data: rotated }, starts[part]!, own.length);
      const centres = parts[part];
      const init = centres ? { rows: centres.rows, width: centres.width, data: centres.data } : 'k-means++';
      return kmeans(slice, { codes: sizes[part]!, iterations, init, seed: `${seed}/${part}` });
    });
    if (round === rotations) break;
    const next = tf.tidy(() => {
      const near = tf.tensor2d(approximation(parts, starts, rows, width), [rows, width]);
      return nearestRotation(tf.matMul(x, near, true), rotation);
    });
    rotation.dispose();
    rotation = next;
  }
  const found = parts.map((part, i) => ({ codebook: rotatedBack(part, starts[i]!, rotation), codes: part.codes }));
  tf.dispose([x, rotation]);
  return found;
}

/** Columns of each part, of equal counts give or take one; the largest variances first. */
function partColumns({ rows, width, data }: Vectors, parts: number): number[][] {
  const [means, squares] = [new Float64Array(width), new Float64Array(width)];
  for (let i = 0; i < data.length; i++) means[i % width]! += data[i]! / rows;
  for (let i = 0; i < data.length; i++) squares[i % width]! += (data[i]! - means[i % width]!) ** 2;
  const order = [...Array(width).keys()].sort((a, b) => squares[b]! - squares[a]!); // stable: ties to the lower
  const columns = Array.from({ length: parts }, (): number[] => []);
  const sums = new Float64Array(parts);
  for (const column of order) {
    let to: number | undefined;
    columns.forEach((own, part) => {
      const room = own.length < Math.floor((width + parts - 1 - part) / parts);
      if (room && (to === undefined || sums[part]! < sums[to]!)) to = part;
    });
    columns[to!]!.push(column);
    sums[to!]! += squares[column]!;
  }
  return columns;
}

/** [D, D] with x P = the columns of x in this order. */
function permutation(columns: readonly number[], width: number): tf.Tensor2D {
  const data = new Float32Array(width * width);
  columns.forEach((from, to) => (data[from * width + to] = 1));
  return tf.tensor2d(data, [width, width]);
}

/** [N, W] */
function columnsOf({ rows, width, data }: Vectors, first: number, count: number): Vectors {
  const out = new Float32Array(rows * count);
  for (let i = 0; i < rows; i++) out.set(data.subarray(i * width + first, i * width + first + count), i * count);
  return { rows, width: count, data: out };
}

/** What the parts' centres make of all rows, rotated [N, D]. */
function approximation(
  parts: readonly KmeansResult[],
  starts: readonly number[],
  rows: number,
  width: number,
): Float32Array {
  const out = new Float32Array(rows * width);
  parts.forEach((part, p) => {
    for (let i = 0; i < rows; i++) {
      const from = part.codes[i]! * part.width;
      out.set(part.data.subarray(from, from + part.width), i * width + starts[p]!);
    }
  });
  return out;
}

/** Centres [K, W] among the vectors [K, D]. */
function rotatedBack({ rows, width, data }: Vectors, start: number, rotation: tf.Tensor2D): Vectors {
  const whole = rotation.shape[0];
  const back = valuesOf(() => {
    const own = tf.slice(rotation, [0, start], [whole, width]); // [D, W]
    return tf.matMul(tf.tensor2d(data, [rows, width]), own, false, true);
  });
  return { rows, width: whole, data: back.slice() };
}
