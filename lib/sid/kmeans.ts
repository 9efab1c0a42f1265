/**
 * One level of clustering: seeded k-means on the package ml-kmeans.
 *
 * Follows Lloyd, "Least squares quantization in PCM" (1982). Departures:
 *   1. ml-kmeans's own start takes about a minute on 3,686 x 384 vectors and 256 codes, a round of its iteration
 *      0.6 s. So the start is ours, and rounds on the engine (distances as one matrix product) carry it close to a
 *      fixed point; ml-kmeans then iterates in exact arithmetic until nothing moves, usually a round or two;
 *   2. two starts are carried that far, and the one with the smaller error goes on. k-means++ (Arthur & Vassilvitskii
 *      2007) is the better one on item vectors; on the residuals of later levels it spends half of its codes on
 *      outliers and leaves two thirds of the items on one code, where the means of random groups do not;
 *   3. a code that loses its last item keeps its place, so codes may go unused; it is counted, not hidden.
 *
 * Shapes: N rows, K codes, D width.
 */
import { kmeans as mlKmeans } from 'ml-kmeans';
import { rowOf, type Vectors } from '../embed/npy.js';
import { Random } from '../support/random.js';
import { engineRounds } from './engine-rounds.js';
import { groupStart, spreadStart } from './kmeans-start.js';

export interface KmeansOptions {
  /** Codes (K), at most N. */
  codes: number;
  /** Rounds at most, on the engine and again in ml-kmeans. Default 100. */
  iterations?: number;
  /** Default 42. */
  seed?: number | string;
}

/**
 * @param vectors [N, D], finite
 * @returns centres [K, D]
 */
export function kmeans(vectors: Vectors, options: KmeansOptions): Vectors {
  const { codes, iterations = 100, seed = 42 } = options;
  if (!Number.isInteger(codes) || codes < 1 || codes > vectors.rows) {
    throw new RangeError(`kmeans: expected codes from 1 to ${vectors.rows}, one a row at most, got ${codes}`);
  }
  const random = new Random(seed);
  const spread = engineRounds(vectors, spreadStart(vectors, codes, random), iterations);
  const groups = engineRounds(vectors, groupStart(vectors, codes, random), iterations);
  const lists = (of: Vectors) => Array.from({ length: of.rows }, (_, i) => Array.from(rowOf(of, i)));
  const { centroids } = mlKmeans(lists(vectors), codes, {
    initialization: lists((groups.error < spread.error ? groups : spread).centres),
    maxIterations: iterations,
    tolerance: 1e-10, // float32's exactness at unit length
  });
  return { rows: codes, width: vectors.width, data: Float32Array.from(centroids.flat()) };
}
