/**
 * RQ-OPQ: residual k-means for what items have in common, and optimized product quantization of what that leaves for what
 * tells them apart (OneSearch, Chen et al., arXiv 2509.03236, whose SIDs are three codes of the one and two of the other).
 *
 * The last `products` codes of a SID are those of the product's parts. Departures: 1. vectors alone, no keywords;
 * 2. codebooks are given among the vectors (`opq.ts`), so that collisions, later items and quality are computed as for
 * residual k-means.
 *
 * Shapes: N items, L levels, K codes of a level, D width.
 */
import type { Vectors } from '../../files/npy.js';
import { InputError } from '../../support/errors.js';
import { checkFinite, codebookSizes } from '../check-input.js';
import { checkCollisions } from '../collisions/collisions.js';
import { kmeans } from '../kmeans/kmeans.js';
import { RQ_OPQ_OPTIONS, type RqOpqOptions } from '../method-options.js';
import type { QuantizeResult } from '../quantized.js';
import { quantizeResult, subtractCodes } from '../residual.js';
import { opq } from './opq.js';

/**
 * @param vectors [N, D] @param where names the vectors in errors, such as their file
 * @throws InputError for an option out of range, a row that is not finite, more items than SIDs, more parts than columns
 */
export function rqOpq(vectors: Vectors, options: RqOpqOptions = {}, where = 'rqOpq'): QuantizeResult {
  const { iterations, products, rotations, collisions, seed, ...levels } = RQ_OPQ_OPTIONS.parse(options);
  const sizes = codebookSizes(vectors.rows, levels, where);
  if (products > sizes.length || products > vectors.width) {
    throw new InputError(
      `sid: expected at most ${Math.min(sizes.length, vectors.width)} products, one a level and a column, got ${products}; set --products`,
    );
  }
  checkFinite(vectors, where);
  checkCollisions(collisions, vectors.rows, sizes, where);
  const residual: Vectors = { ...vectors, data: vectors.data.slice() };
  const raw: number[][] = Array.from({ length: vectors.rows }, () => []);
  const residuals = sizes.slice(0, sizes.length - products).map((codes, level) => {
    const init = level === 0 ? 'k-means++' : 'random-groups';
    const { rows, width, data, codes: own } = kmeans(residual, { codes, iterations, init, seed: `${seed}/${level}` });
    const codebook = { rows, width, data };
    raw.forEach((path, i) => path.push(own[i]!));
    subtractCodes(residual, own, codebook);
    return codebook;
  });
  const parts = opq(residual, { sizes: sizes.slice(-products), rotations, iterations, seed: `${seed}/opq` });
  for (const { codes } of parts) raw.forEach((path, i) => path.push(codes[i]!));
  return quantizeResult(vectors, raw, [...residuals, ...parts.map(({ codebook }) => codebook)], collisions);
}
