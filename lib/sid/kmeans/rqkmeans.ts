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
import type { Cluster } from '../../cluster/cluster.js';
import type { Vectors } from '../../files/npy.js';
import { sinkhornCodes } from '../balanced/sinkhorn-codes.js';
import { checkFinite, codebookSizes } from '../check-input.js';
import { checkCollisions } from '../collisions/collisions.js';
import type { QuantizeResult } from '../quantized.js';
import { codesOfOne } from '../one-process.js';
import { residualQuantize } from '../residual.js';
import { kmeans } from './kmeans.js';
import { RQKMEANS_OPTIONS, type RqKmeansOptions } from '../method-options.js';

/**
 * @param vectors [N, D]; equal rows are fine, rows of zeros too
 * @param where names the vectors in errors, such as their file
 * @param cluster processes that have the same vectors and options, and share the work; all get the same codes
 * @throws InputError for an option out of range, a row that is not finite, more items than SIDs
 */
export function rqKmeans(
  vectors: Vectors,
  options: RqKmeansOptions = {},
  where = 'rqKmeans',
  cluster?: Cluster,
): QuantizeResult {
  const { iterations, init, uniform, collisions, seed, ...levels } = RQKMEANS_OPTIONS.parse(options);
  const sizes = codebookSizes(vectors.rows, levels, where);
  checkFinite(vectors, where);
  checkCollisions(collisions, vectors.rows, sizes, where);
  return residualQuantize(vectors, sizes, collisions, (residual, codes, level) => {
    const found = kmeans(residual, {
      codes,
      iterations,
      init: init ?? (level === 0 ? 'k-means++' : 'random-groups'),
      seed: `${seed}/${level}`,
      cluster,
    });
    return uniform ? { ...found, codes: codesOfOne(cluster, sinkhornCodes(residual, found)) } : found;
  });
}
