/**
 * One level of clustering: seeded k-means, on the engine for work and on the package ml-kmeans for small things.
 *
 * Follows Lloyd, "Least squares quantization in PCM" (1982). Departures:
 *   1. ml-kmeans takes 0.6 s an iteration on 3,686 x 384 vectors and 256 codes, and a minute for its own initialisation;
 *      beyond a million products an iteration they are ours (`lloyd.ts`). Both iterate until no row changes its code, from
 *      the same centres;
 *   2. by default two initialisations are carried to the end, and the one with the smaller error is kept. k-means++ is the
 *      better one on item vectors; on the residuals of later levels it spends half of its codes on outliers and
 *      leaves two thirds of the items on one code, where the means of random groups do not;
 *   3. codes that are empty in the end move to the farthest rows, and the iterations continue (`empty-clusters.ts`); with fewer
 *      distinct rows than codes some go unused.
 *
 * Shapes: N rows, K codes, D width.
 */
import { kmeans as mlKmeans } from 'ml-kmeans';
import type { Cluster } from '../../cluster/cluster.js';
import { rowOf, type Vectors } from '../../files/npy.js';
import { Random } from '../../support/random.js';
import { checkRows } from '../check-input.js';
import { fillEmptyCodes } from './empty-clusters.js';
import { randomGroupMeans, pickRows, kmeansPlusPlus } from './initial-centres.js';
import { type KmeansResult, lloyd } from './lloyd.js';
import { KMEANS_INITS, type KmeansInit } from '../choices.js';
import { rowsOfOne } from '../one-process.js';

/** Codes, initialisation and when to stop. */
export interface KmeansOptions {
  /** Codes (K), at most N. */
  codes: number;
  /** At most. Default 100. */
  iterations?: number;
  /** Default 42. */
  seed?: number | string;
  /**
   * The first centres: `k-means++`, means of random groups (`random-groups`), `random-rows`, whichever of the first two
   * ends on the smaller error (`best`), or centres of your own [K, D]. Default `best`.
   */
  init?: KmeansInit | Vectors;
  /** Who iterates. Default `auto`: ml-kmeans up to a million products an iteration (N x K x D), `own` beyond. */
  implementation?: 'auto' | 'own' | 'ml-kmeans';
  /** Processes that cluster the same rows together; all get the same. Default this one alone. */
  cluster?: Cluster | undefined;
}

/**
 * Clusters rows.
 * @param vectors [N, D], finite
 * @throws RangeError for more codes than rows, or centres of another shape
 * @throws InputError for a row or centre that is not finite
 */
export function kmeans(vectors: Vectors, options: KmeansOptions): KmeansResult {
  const { codes, iterations = 100, seed = 42, init = 'best', implementation = 'auto', cluster } = options;
  if (!Number.isInteger(codes) || codes < 1 || codes > vectors.rows) {
    throw new RangeError(`kmeans: expected codes from 1 to ${vectors.rows}, one a row at most, got ${codes}`);
  }
  if (typeof init === 'object' && (init.rows !== codes || init.width !== vectors.width)) {
    throw new RangeError(
      `kmeans: expected ${codes} x ${vectors.width} centres to start from, got ${init.rows} x ${init.width}`,
    );
  }
  checkRows(vectors, 'kmeans');
  const small = vectors.data.length * codes <= 1e6;
  const own = implementation === 'own' || (implementation === 'auto' && !small);
  const random = new Random(seed);
  const iterate: Iterate = own ? (...given) => lloyd(...given, cluster) : mlLloyd;
  const results = initialCentres(vectors, codes, init, random).map((centres) =>
    withoutEmpty(vectors, rowsOfOne(cluster, centres), iterations, iterate),
  );
  return results.reduce((best, next) => (next.error < best.error ? next : best));
}

type Iterate = (vectors: Vectors, start: Vectors, iterations: number) => KmeansResult;

/**
 * Iterates until nothing changes and no code is empty that could be filled. A move takes the error of at least one row
 * away, so this ends; when all iterations are spent one last move is made, and the rows get their codes.
 */
function withoutEmpty(vectors: Vectors, start: Vectors, iterations: number, iterate: Iterate): KmeansResult {
  let result = iterate(vectors, start, iterations);
  while (true) {
    const filled = fillEmptyCodes(vectors, result, result.codes);
    if (filled === undefined) return result;
    const left = iterations - result.rounds;
    const next = left > 0 ? iterate(vectors, filled, left) : lloyd(vectors, filled, 0);
    result = { ...next, rounds: result.rounds + next.rounds };
    if (left <= 0) return result;
  }
}

function initialCentres(vectors: Vectors, codes: number, init: KmeansInit | Vectors, random: Random): Vectors[] {
  if (typeof init === 'object') return [init];
  switch (init) {
    case 'best':
      return [kmeansPlusPlus(vectors, codes, random), randomGroupMeans(vectors, codes, random)];
    case 'k-means++':
      return [kmeansPlusPlus(vectors, codes, random)];
    case 'random-groups':
      return [randomGroupMeans(vectors, codes, random)];
    case 'random-rows':
      return [pickRows(vectors, codes, random)];
    default:
      throw new RangeError(
        `kmeans: expected an init of ${KMEANS_INITS.join(', ')} or centres, got ${init satisfies never}`,
      );
  }
}

function mlLloyd(vectors: Vectors, start: Vectors, iterations: number): KmeansResult {
  const lists = (of: Vectors) => Array.from({ length: of.rows }, (_, i) => Array.from(rowOf(of, i)));
  const { centroids, iterations: rounds } = mlKmeans(lists(vectors), start.rows, {
    initialization: lists(start),
    maxIterations: iterations,
    tolerance: 1e-10, // float32's exactness at unit length
  });
  // A last look in our own arithmetic, so that ties are ours too.
  const centres = { ...start, data: Float32Array.from(centroids.flat()) };
  return { ...lloyd(vectors, centres, 0), rounds };
}
