/**
 * Residual codes under limits on the items of a code, from given codebooks: the assignment of constrained RQ-Kmeans
 * without its iterations. Each level's assignment is the optimum under the limits (`balanced-assign.ts`).
 *
 * Shapes: N items, L levels, K codes, D width.
 */
import type { Vectors } from '../../files/npy.js';
import { checkRows } from '../check-input.js';
import { distancesOnce } from '../kmeans/engine-distances.js';
import { subtractCodes } from '../residual.js';
import { balancedAssign } from './balanced-assign.js';
import { sizeLimits, wholeCosts } from './balanced-kmeans.js';

/**
 * @param vectors [N, D]
 * @param codebooks one a level [K, D]
 * @param clusterSize items a code at least and at most; default N/K - 1 and N/K + 1
 * @returns codes [N][L]
 * @throws InputError for limits that cannot be met, a row or code that is not finite or of another width
 */
export function balancedCodes(
  vectors: Vectors,
  codebooks: readonly Vectors[],
  clusterSize?: readonly [least: number, most: number],
): number[][] {
  checkRows(vectors, 'balancedCodes');
  for (const [level, book] of codebooks.entries()) {
    checkRows(book, `balancedCodes: codebook ${level}`, vectors.width);
  }
  const items = vectors.rows;
  const residual = { ...vectors, data: vectors.data.slice() };
  const codes: number[][] = Array.from({ length: items }, () => []);
  for (const codebook of codebooks) {
    const clusters = codebook.rows;
    const [least, most] = sizeLimits(items, clusters, clusterSize);
    const { costs } = wholeCosts(distancesOnce(residual, codebook));
    const [lower, upper] = [least, most].map((size) => new Int32Array(clusters).fill(size)) as [Int32Array, Int32Array];
    const { clusters: own } = balancedAssign({ items, clusters, costs, lower, upper });
    codes.forEach((path, i) => path.push(own[i]!));
    subtractCodes(residual, own, codebook);
  }
  return codes;
}
