/**
 * Initialisation of k-means: three ways to place the first centres.
 *
 * Shapes: N rows, K codes, D width, T candidates.
 */
import * as tf from '@tensorflow/tfjs';
import { rowOf, type Vectors } from '../../files/npy.js';
import type { Random } from '../../support/random.js';
import { squaredNorms } from './distance.js';

/** Rows that k-means++ looks at, at most: beyond, a random part of them is taken. */
export function mostSpreadRows(codes: number): number {
  return Math.max(8192, 4 * codes);
}

/**
 * Greedy k-means++ (Arthur & Vassilvitskii 2007; the greedy form is scikit-learn's): each next centre is the best of
 * T = 2 + ln K rows drawn in proportion to their squared distance from the nearest centre so far, the one that lowers
 * the sum of these distances most. [K, D]
 */
export function kmeansPlusPlus(vectors: Vectors, codes: number, random: Random): Vectors {
  const limit = mostSpreadRows(codes);
  if (vectors.rows > limit) return kmeansPlusPlus(pickRows(vectors, limit, random), codes, random);
  const { rows, width } = vectors;
  const trials = 2 + Math.floor(Math.log(codes));
  const centres = new Float32Array(codes * width);
  const nearest = new Float64Array(rows).fill(Infinity);
  const squares = squaredNorms(vectors);
  const x = tf.tensor2d(vectors.data, [rows, width]);
  let drawn = [random.int(rows)];
  for (let code = 0; code < codes; code++) {
    const products = productsWith(x, vectors, drawn);
    let best = { row: drawn[0]!, total: Infinity, trial: 0 };
    const distance = (i: number, t: number): number =>
      Math.min(
        nearest[i]!,
        i === drawn[t] ? 0 : Math.max(0, squares[i]! + squares[drawn[t]!]! - 2 * products[i * drawn.length + t]!),
      );
    for (let t = 0; t < drawn.length; t++) {
      let total = 0;
      for (let i = 0; i < rows; i++) total += distance(i, t);
      if (total < best.total) best = { row: drawn[t]!, total, trial: t };
    }
    for (let i = 0; i < rows; i++) nearest[i] = distance(i, best.trial);
    centres.set(rowOf(vectors, best.row), code * width);
    drawn = draw(nearest, best.total, trials, random);
  }
  x.dispose();
  return { rows: codes, width, data: centres };
}

/** [N * T] */
function productsWith(x: tf.Tensor2D, vectors: Vectors, rows: readonly number[]): Float32Array {
  const chosen = new Float32Array(rows.length * vectors.width);
  rows.forEach((row, t) => chosen.set(rowOf(vectors, row), t * vectors.width));
  const c = tf.tensor2d(chosen, [rows.length, vectors.width]);
  const products = x.matMul<tf.Tensor2D>(c, false, true);
  const values = products.dataSync<'float32'>();
  tf.dispose([c, products]);
  return values;
}

/** T rows in proportion to `weights`; where all are 0 every distinct row is a centre already, and any row will do. */
function draw(weights: Float64Array, total: number, trials: number, random: Random): number[] {
  if (!(total > 0)) return [random.int(weights.length)];
  const marks = Float64Array.from({ length: trials }, () => random.next() * total).sort();
  const drawn: number[] = [];
  let sum = 0;
  for (let i = 0; i < weights.length && drawn.length < trials; i++) {
    sum += weights[i]!;
    while (drawn.length < trials && marks[drawn.length]! < sum) drawn.push(i);
  }
  return drawn.length > 0 ? drawn : [weights.length - 1];
}

/** The means of K random groups of equal size (give or take one): all centres begin in the middle. [K, D] */
export function randomGroupMeans(vectors: Vectors, codes: number, random: Random): Vectors {
  const { rows, width } = vectors;
  const data = new Float32Array(codes * width);
  const order = random.shuffle([...Array(rows).keys()]);
  order.forEach((row, place) => {
    const code = place % codes;
    const size = Math.floor(rows / codes) + (code < rows % codes ? 1 : 0);
    const x = rowOf(vectors, row);
    for (let j = 0; j < width; j++) data[code * width + j]! += x[j]! / size;
  });
  return { rows: codes, width, data };
}

/** `count` rows drawn without repetition [count, D]. */
export function pickRows(vectors: Vectors, count: number, random: Random): Vectors {
  const order = random.shuffle([...Array(vectors.rows).keys()]).slice(0, count);
  const data = new Float32Array(count * vectors.width);
  order.forEach((row, place) => data.set(rowOf(vectors, row), place * vectors.width));
  return { rows: count, width: vectors.width, data };
}
