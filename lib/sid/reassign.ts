/**
 * Makes semantic IDs unique: items that share one move to the nearest free code of the last level.
 *
 * MiniOneRec re-assigns colliding items with Sinkhorn rounds and may end with collisions left. Departures:
 *   1. of the items that share a SID the one nearest to it keeps it (ties to the lower id), the others move in order
 *      of their ids;
 *   2. an item goes to the nearest code that is free under its prefix; where the whole prefix is taken, to the
 *      next nearest code of the level above that has room, and so on upwards. With as many SIDs as items this always
 *      ends.
 *
 * Shapes: N items, L levels, D width.
 */
import { rowOf, type Vectors } from '../embed/npy.js';
import { codesByDistance, squaredDistance } from './distance.js';
import { reconstruct } from './quantized.js';

/**
 * @param vectors [N, D]
 * @param codes [N][L]
 * @param codebooks one a level, [K, D]
 * @returns codes [N][L], no two alike; items that shared none keep theirs
 * @throws RangeError if there are more items than SIDs
 */
export function reassign(vectors: Vectors, codes: readonly number[][], codebooks: readonly Vectors[]): number[][] {
  const capacities = codebooks.map((_, level) => codebooks.slice(level).reduce((n, book) => n * book.rows, 1));
  if (codes.length > capacities[0]!) {
    throw new RangeError(`reassign: expected at most ${capacities[0]} items, as many as SIDs, got ${codes.length}`);
  }
  const taken = new Map<string, number>(); // prefix -> items under it
  const take = (path: readonly number[]) => {
    for (let n = 1; n <= path.length; n++) {
      const prefix = path.slice(0, n).join();
      taken.set(prefix, (taken.get(prefix) ?? 0) + 1);
    }
  };
  const keepers = nearestOfEach(vectors, codes, codebooks);
  for (const i of keepers) take(codes[i]!);
  const hasRoom = (path: readonly number[]) => (taken.get(path.join()) ?? 0) < (capacities[path.length] ?? 1);

  const settle = (residual: Float32Array, path: number[]): number[] => {
    const book = codebooks[path.length];
    if (book === undefined) return path;
    const code = codesByDistance(residual, book).find((candidate) => hasRoom([...path, candidate]))!;
    return settle(subtract(residual, rowOf(book, code)), [...path, code]);
  };
  return codes.map((own, i) => {
    if (keepers.has(i)) return [...own];
    const path = settle(rowOf(vectors, i), []);
    take(path);
    return path;
  });
}

/** Of the items with equal codes the one nearest to what the codes stand for. */
function nearestOfEach(vectors: Vectors, codes: readonly number[][], codebooks: readonly Vectors[]): Set<number> {
  const best = new Map<string, { item: number; distance: number }>();
  codes.forEach((path, item) => {
    const distance = squaredDistance(rowOf(vectors, item), reconstruct(path, codebooks));
    const rival = best.get(path.join());
    if (rival === undefined || distance < rival.distance) best.set(path.join(), { item, distance });
  });
  return new Set([...best.values()].map(({ item }) => item));
}

export function subtract(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((x, j) => x - b[j]!);
}
