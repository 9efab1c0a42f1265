/**
 * Residual k-means: item vectors -> semantic IDs.
 *
 * Follows MiniOneRec's RQ-Kmeans (3 levels of 256 codes; each level clusters what the levels before left over), with
 * its optional uniform assignment. Departures:
 *   1. the first level starts from k-means++, the later ones from means of random groups (`initial-centres.ts`):
 *      k-means++ ends on a smaller error there too, but spends its codes on outliers and leaves a third of the items
 *      on one code, so that more of them collide;
 *   2. by default no two items share a SID afterwards (`reassign.ts`);
 *   3. a level has at most as many codes as there are items, and a small catalogue fewer by default.
 *
 * Shapes: N items, L levels, K codes, D width.
 */
import type { Vectors } from '../../files/npy.js';
import { sinkhornCodes } from '../balanced/sinkhorn-codes.js';
import { checkFinite, checkWhole, codebookSizes, type LevelOptions } from '../check-input.js';
import { type Collisions } from '../choices.js';
import { checkCollisions } from '../collisions/collisions.js';
import type { QuantizeResult } from '../quantized.js';
import { residualQuantize } from '../residual.js';
import { type KmeansInit } from '../choices.js';
import { kmeans } from './kmeans.js';

export interface RqKmeansOptions extends LevelOptions {
  /** Rounds of k-means at most. Default 100. */
  iterations?: number;
  /** Of every level. Default `k-means++` for the first, `random-groups` for the others. */
  init?: KmeansInit;
  /** Deal the items of a level out evenly, at most N/K (rounded up) a code, by Sinkhorn's plan. Default false. */
  uniform?: boolean;
  /** What to do with items that share a SID. Default `reassign`. */
  collisions?: Collisions;
  /** Default 42. */
  seed?: number;
}

/**
 * @param vectors [N, D]; equal rows are fine, rows of zeros too
 * @param where names the vectors in errors, such as their file
 * @throws InputError for an option out of range, a row that is not finite, more items than SIDs
 */
export function rqKmeans(vectors: Vectors, options: RqKmeansOptions = {}, where = 'rqKmeans'): QuantizeResult {
  const { iterations = 100, init, uniform = false, collisions = 'reassign', seed = 42 } = options;
  const sizes = codebookSizes(vectors.rows, options, where);
  checkFinite(vectors, where);
  checkCollisions(collisions, vectors.rows, sizes, where);
  checkWhole('iterations', iterations);
  return residualQuantize(vectors, sizes, collisions, (residual, codes, level) => {
    const found = kmeans(residual, {
      codes,
      iterations,
      init: init ?? (level === 0 ? 'k-means++' : 'random-groups'),
      seed: `${seed}/${level}`,
    });
    return uniform ? { ...found, codes: sinkhornCodes(residual, found) } : found;
  });
}
