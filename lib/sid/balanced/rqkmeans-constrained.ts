/**
 * Constrained residual k-means: item vectors -> semantic IDs whose codes are used evenly at every level.
 *
 * Follows MiniOneRec's constrained RQ-Kmeans: every code between N/K - 1 and N/K + 1 items a level (N/K rounded down
 * first, so that whole sizes exist for every N), 3 starts, 100 iterations, tolerance 1e-4, seed 42; every item of a group
 * that still collides gets one more token, its rank in the group. Departure: codes and ranks count from 0, there from 1.
 *
 * Shapes: N items, L levels, K codes, D width.
 */
import type { Cluster } from '../../cluster/cluster.js';
import type { Vectors } from '../../files/npy.js';
import { checkFinite, codebookSizes } from '../check-input.js';
import { checkCollisions } from '../collisions/collisions.js';
import type { QuantizeResult } from '../quantized.js';
import { residualQuantize } from '../residual.js';
import { balancedKmeans, sizeLimits } from './balanced-kmeans.js';
import { RQKMEANS_CONSTRAINED_OPTIONS, type RqKmeansConstrainedOptions } from '../method-options.js';

/**
 * @param vectors [N, D]; equal rows are fine: they are spread over codes where the limits ask for it
 * @param where names the vectors in errors, such as their file
 * @param cluster processes that have the same vectors and options, and share the work; all get the same codes
 * @throws InputError for an option out of range, a row that is not finite, limits that cannot be met
 */
export function rqKmeansConstrained(
  vectors: Vectors,
  options: RqKmeansConstrainedOptions = {},
  where = 'rqKmeansConstrained',
  cluster?: Cluster,
): QuantizeResult {
  const { nInit, iterations, tolerance, collisions, seed, clusterSize, initFrom, ...levels } =
    RQKMEANS_CONSTRAINED_OPTIONS.parse(options);
  const sizes = codebookSizes(vectors.rows, levels, where);
  checkFinite(vectors, where);
  checkCollisions(collisions, vectors.rows, sizes, where);
  for (const size of sizes) sizeLimits(vectors.rows, size, clusterSize);
  return residualQuantize(vectors, sizes, collisions, (residual, codes, level) =>
    balancedKmeans(residual, {
      codes,
      ...(clusterSize && { clusterSize }),
      nInit,
      iterations,
      tolerance,
      ...(initFrom && { init: initFrom(residual, level) }),
      seed: `${seed}/${level}`,
      cluster,
    }),
  );
}
