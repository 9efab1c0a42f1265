/**
 * Makes semantic IDs unique: items that share one move to the nearest free code of the last level.
 *
 * MiniOneRec re-assigns colliding items with Sinkhorn rounds and may end with collisions left. Departures:
 *   1. of the items that share a SID the one nearest to it keeps it (ties to the lower id), the others move in order
 *      of their ids;
 *   2. an item keeps its prefix and goes to the nearest last code that is free under it; only where the whole prefix is
 *      taken does the level above change too, and so on upwards (`free-codes.ts`). With as many SIDs as items this
 *      always ends, and where no prefix is full the items of every code of the earlier levels stay as they were.
 *
 * Shapes: N items, L levels, D width.
 */
import { rowOf, type Vectors } from '../../files/npy.js';
import { checkRows } from '../check-input.js';
import { squaredDistance } from '../kmeans/distance.js';
import { reconstruct } from '../quantized.js';
import { FreeCodes } from './free-codes.js';

/**
 * @param vectors [N, D]
 * @param codes [N][L]
 * @param codebooks one a level, [K, D]
 * @param taken SIDs of other items, none of them among `codes`
 * @returns codes [N][L], no two alike; items that shared none keep theirs
 * @throws RangeError if there are more items than SIDs
 * @throws InputError for a row that is not finite
 */
export function reassign(
  vectors: Vectors,
  codes: readonly number[][],
  codebooks: readonly Vectors[],
  taken: readonly (readonly number[])[] = [],
): number[][] {
  checkRows(vectors, 'reassign');
  const free = new FreeCodes(codebooks);
  for (const path of taken) free.take(path);
  if (codes.length > free.room) {
    throw new RangeError(`reassign: expected at most ${free.room} items, as many as SIDs, got ${codes.length}`);
  }
  const keepers = nearestOfEach(vectors, codes, codebooks);
  for (const i of keepers) free.take(codes[i]!);
  return codes.map((own, i) => (keepers.has(i) ? [...own] : free.claim(rowOf(vectors, i), own)));
}

/** Of the items with equal codes the one nearest to the sum of the codes. */
function nearestOfEach(vectors: Vectors, codes: readonly number[][], codebooks: readonly Vectors[]): Set<number> {
  const best = new Map<string, { item: number; distance: number }>();
  codes.forEach((path, item) => {
    const distance = squaredDistance(rowOf(vectors, item), reconstruct(path, codebooks));
    const rival = best.get(path.join());
    if (rival === undefined || distance < rival.distance) best.set(path.join(), { item, distance });
  });
  return new Set([...best.values()].map(({ item }) => item));
}
