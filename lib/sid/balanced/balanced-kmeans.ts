/**
 * k-means with clusters of limited size: every iteration's assignment is the optimum under the limits.
 *
 * Follows Bradley, Bennett & Demiriz, "Constrained k-means clustering" (2000) and the package k-means-constrained (3
 * starts, 100 iterations, stop when the centres move less than 1e-4 of the mean variance). Departures:
 *   1. the flow is solved by `balancedAssign`, from the prices of the iteration before: centres move little, so few items
 *      are where they should not be;
 *   2. starts are greedy k-means++ for the first and every other one, means of random groups between;
 *   3. several processes take some of the starts each: an assignment is one flow of all rows, which does not divide.
 * The fused implementation of the iterations (`kernels/tensorflow/ops/balanced_kmeans.cc`) keeps distances and costs on the engine.
 *
 * Shapes: N rows, K codes, D width.
 */
import * as tf from '@tensorflow/tfjs';
import type { Cluster } from '../../cluster/cluster.js';
import { rowOf, type Vectors } from '../../files/npy.js';
import { chooseImplementation, runFused } from '../../ops/fused.js';
import { InputError } from '../../support/errors.js';
import { Random } from '../../support/random.js';
import { checkRows } from '../check-input.js';
import { squaredDistance } from '../kmeans/distance.js';
import { EngineDistances } from '../kmeans/engine-distances.js';
import { randomGroupMeans, kmeansPlusPlus } from '../kmeans/initial-centres.js';
import type { KmeansResult } from '../kmeans/lloyd.js';
import { codesOfOne, rowsOfOne } from '../one-process.js';
import { balancedAssign, type BalancedAssignment } from './balanced-assign.js';

const KERNEL = 'SidlabBalancedKmeans';

/** Codes, limits and when to stop. */
export interface BalancedKmeansOptions {
  /** Codes (K), at most N. */
  codes: number;
  /** Rows a code at least and at most. Default N/K - 1 and N/K + 1, N/K rounded down. */
  clusterSize?: readonly [least: number, most: number];
  /** Initialisations; the one with the smallest error in the end is kept. Default 3. */
  nInit?: number;
  /** Of an initialisation, at most. Default 100. */
  iterations?: number;
  /** Stop when the centres' squared moves sum to less than this share of the mean variance. Default 1e-4. */
  tolerance?: number;
  /** Centres to start from [K, D], in place of all initialisations. */
  init?: Vectors;
  /** Default 42. */
  seed?: number | string;
  /** Processes that cluster the same rows together; all get the same. Default this one alone. */
  cluster?: Cluster | undefined;
}

/**
 * @param vectors [N, D], finite
 * @returns the centres [K, D], and a code of each row, within the limits
 * @throws InputError for limits that cannot be met, more codes than rows, a row or centre that is not finite
 */
export function balancedKmeans(vectors: Vectors, options: BalancedKmeansOptions): KmeansResult {
  const { codes, nInit = 3, iterations = 100, tolerance = 1e-4, init, seed = 42, cluster } = options;
  if (!Number.isInteger(codes) || codes < 1 || codes > vectors.rows) {
    throw new InputError(`balancedKmeans: expected codes from 1 to ${vectors.rows}, the number of rows, got ${codes}`);
  }
  checkRows(vectors, 'balancedKmeans');
  if (init) checkRows(init, 'balancedKmeans: centres', vectors.width);
  const limits = sizeLimits(vectors.rows, codes, options.clusterSize);
  const random = new Random(seed);
  const enough = tolerance * meanVariance(vectors);
  const Implementation = chooseImplementation<LloydOf>(KERNEL, PlainLloyd, FusedLloyd);
  const lloyd = new Implementation(vectors, limits, iterations, enough);
  try {
    let best: Tried | undefined;
    for (let turn = 0; turn < (init ? 1 : nInit); turn++) {
      const centres = init ?? (turn % 2 === 0 ? kmeansPlusPlus : randomGroupMeans)(vectors, codes, random);
      if (cluster && turn % cluster.size !== cluster.rank) continue;
      const result = lloyd.run(centres);
      if (best === undefined || result.error < best.result.error) best = { result, turn };
    }
    return cluster ? bestOfAll(cluster, best, vectors, codes) : best!.result;
  } finally {
    lloyd.dispose();
  }
}

interface Tried {
  result: KmeansResult;
  /** Number of the start. */
  turn: number;
}

/** The result with the smallest error of all processes, in all of them; of equal ones the earlier start's. */
function bestOfAll(
  cluster: Cluster,
  own: Tried | undefined,
  { rows: items, width }: Vectors,
  clusters: number,
): KmeansResult {
  const { data, codes } = own?.result ?? { data: new Float32Array(clusters * width), codes: new Int32Array(items) };
  const all = cluster.numbers([own?.result.error ?? Infinity, own?.turn ?? Infinity, own?.result.rounds ?? 0]);
  const better = (a: number[], b: number[]): boolean => a[0]! < b[0]! || (a[0] === b[0] && a[1]! < b[1]!);
  const root = all.reduce((best, tried, rank) => (better(tried, all[best]!) ? rank : best), 0);
  const [error, , rounds] = all[root]! as [number, number, number];
  return {
    ...rowsOfOne(cluster, { rows: clusters, width, data }, root),
    ...{ codes: codesOfOne(cluster, codes, root), error, rounds },
  };
}

/** @throws InputError for limits that cannot be met */
export function sizeLimits(
  rows: number,
  codes: number,
  clusterSize: readonly number[] | undefined,
): readonly [number, number] {
  const even = Math.floor(rows / codes);
  const pair = clusterSize ?? [Math.max(0, even - 1), even + 1];
  const [least, most] = Array.isArray(pair) ? (pair as number[]) : [];
  if (pair.length !== 2 || !pair.every(Number.isInteger) || !(least! >= 0) || !(most! >= least!)) {
    throw new InputError(`sid: expected two cluster sizes, the least and the most, got ${String(clusterSize)}`);
  }
  if (least! * codes > rows || most! * codes < rows) {
    throw new InputError(
      `sid: expected cluster sizes that ${rows} items can meet, got ${least} to ${most} for ${codes} codes, ` +
        `${least! * codes} to ${most! * codes} items; set --cluster-size around ${even}, or --codebook-size`,
    );
  }
  return [least!, most!];
}

/** Lloyd's iterations under limits, from one initialisation after another on the same rows. */
interface BalancedLloyd {
  /** @param start [K, D] */
  run(start: Vectors): KmeansResult;
  dispose(): void;
}

type LloydOf = new (
  vectors: Vectors,
  limits: readonly [number, number],
  iterations: number,
  enough: number,
) => BalancedLloyd;

class FusedLloyd implements BalancedLloyd {
  private readonly rows: tf.Tensor2D;
  /** Limits, iterations, and the bits of `enough` as two whole numbers [5]. */
  private readonly numbers: tf.Tensor1D;

  constructor(vectors: Vectors, [least, most]: readonly [number, number], iterations: number, enough: number) {
    this.rows = tf.tensor2d(vectors.data, [vectors.rows, vectors.width]);
    const bits = new Int32Array(Float64Array.of(enough).buffer);
    this.numbers = tf.tensor1d([least, most, iterations, ...bits], 'int32');
  }

  run({ rows, width, data }: Vectors): KmeansResult {
    const start = tf.tensor2d(data, [rows, width]);
    const outputs = runFused(KERNEL, [this.rows, start, this.numbers]);
    const centres = outputs[0]!.dataSync<'float32'>();
    const codes = outputs[1]!.dataSync<'int32'>();
    const found = outputs[2]!.dataSync<'int32'>();
    tf.dispose([start, outputs]);
    const error = new Float64Array(found.slice(1).buffer)[0]!;
    return { rows, width, data: centres, codes, error, rounds: found[0]! };
  }

  dispose(): void {
    tf.dispose([this.rows, this.numbers]);
  }
}

class PlainLloyd implements BalancedLloyd {
  private readonly rows: EngineDistances;

  constructor(
    private readonly vectors: Vectors,
    private readonly limits: readonly [number, number],
    private readonly iterations: number,
    private readonly enough: number,
  ) {
    this.rows = new EngineDistances(vectors);
  }

  run(start: Vectors): KmeansResult {
    const { vectors, iterations } = this;
    const [least, most] = this.limits;
    const lower = new Int32Array(start.rows).fill(least);
    const upper = new Int32Array(start.rows).fill(most);
    let centres = start;
    let prices: Float64Array | undefined; // in units of the distances
    const assign = (): Int32Array => {
      const { costs, scale } = wholeCosts(this.rows.distances(centres));
      const problem = { items: vectors.rows, clusters: start.rows, costs, lower, upper };
      const found: BalancedAssignment = balancedAssign(problem, prices && { prices: prices.map((p) => p * scale) });
      prices = found.prices.map((price) => price / scale);
      return found.clusters;
    };
    let codes = assign();
    let iteration = 1;
    for (; iteration <= iterations; iteration++) {
      const next = meansOf(vectors, codes, centres);
      const moved = squaredDistance(next.data, centres.data);
      centres = next;
      if (moved === 0) break;
      codes = assign();
      if (moved <= this.enough) break;
    }
    let error = 0;
    for (let i = 0; i < codes.length; i++) error += squaredDistance(rowOf(vectors, i), rowOf(centres, codes[i]!));
    return { ...centres, codes, error, rounds: Math.min(iteration, iterations) };
  }

  dispose(): void {
    this.rows.dispose();
  }
}

/**
 * Distances [N * K] onto whole numbers from 0 to `top`, written over them; the default is finer than float32's own steps
 * at the largest.
 */
export function wholeCosts(distances: Float32Array, top = 2 ** 26): { costs: Int32Array; scale: number } {
  let [low, high] = [Infinity, -Infinity];
  for (let at = 0; at < distances.length; at++) {
    const distance = distances[at]!;
    if (distance < low) low = distance;
    if (distance > high) high = distance;
  }
  const scale = high > low ? top / (high - low) : 1;
  const costs = new Int32Array(distances.buffer, distances.byteOffset, distances.length);
  for (let at = 0; at < costs.length; at++) costs[at] = (distances[at]! - low) * scale + 0.5;
  return { costs, scale };
}

/** The mean of each code's rows; a code without rows keeps its place. */
function meansOf(vectors: Vectors, codes: Int32Array, old: Vectors): Vectors {
  const { rows, width, data } = vectors;
  const sums = new Float64Array(old.data.length);
  const counts = new Int32Array(old.rows);
  for (let i = 0; i < rows; i++) {
    const [from, to] = [i * width, codes[i]! * width];
    for (let j = 0; j < width; j++) sums[to + j]! += data[from + j]!;
    counts[codes[i]!]!++;
  }
  const means = old.data.slice();
  for (let k = 0; k < old.rows; k++) {
    if (counts[k] === 0) continue;
    for (let j = k * width; j < (k + 1) * width; j++) means[j] = sums[j]! / counts[k]!;
  }
  return { rows: old.rows, width, data: means };
}

/** The variance of a column, in the mean over columns. */
function meanVariance({ rows, width, data }: Vectors): number {
  const [sums, squares] = [new Float64Array(width), new Float64Array(width)];
  for (let i = 0, at = 0; i < rows; i++) {
    for (let j = 0; j < width; j++, at++) {
      sums[j]! += data[at]!;
      squares[j]! += data[at]! * data[at]!;
    }
  }
  return squares.reduce((sum, square, j) => sum + square / rows - (sums[j]! / rows) ** 2, 0) / width;
}
