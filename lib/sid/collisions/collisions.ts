/**
 * What to do with items that share a semantic ID: `reassign` them to free codes (`reassign.ts`), give them last codes by
 * rounds of `sinkhorn` (`sinkhorn-rounds.ts`), append a `rank`, or `keep` them as they are. Whatever is done is counted: `QuantizeResult.collision` has the rate before and after.
 *
 * `rank` follows MiniOneRec's constrained RQ-Kmeans, which gives every item of a group that still collides one more
 * token, so that no SID is the beginning of another. Departure: ranks count from 0, there from 1.
 *
 * Shapes: N items, L levels, D width.
 */
import type { Vectors } from '../../files/npy.js';
import { InputError } from '../../support/errors.js';
import { reassign } from './reassign.js';
import { sinkhornRounds } from './sinkhorn-rounds.js';
import { COLLISIONS, type Collisions } from '../choices.js';

/**
 * @param sizes codes a level [L]
 * @throws InputError for an unknown way, or more items than SIDs where every item is to have its own
 */
export function checkCollisions(collisions: Collisions, items: number, sizes: readonly number[], where: string): void {
  if (!COLLISIONS.includes(collisions)) {
    throw new InputError(`sid: expected collisions ${COLLISIONS.join(', ')}, got ${String(collisions)}`);
  }
  const capacity = sizes.reduce((product, size) => product * size, 1);
  if (collisions === 'reassign' && items > capacity) {
    throw new InputError(
      `${where}: expected at most ${capacity} items for ${sizes.join(' x ')} codes, got ${items}; ` +
        'raise --codebook-size or --levels, or pass --collisions sinkhorn, rank or keep',
    );
  }
}

/**
 * Codes after de-duplication.
 * @param vectors [N, D], in the space of the codebooks
 * @param codes [N][L]
 * @returns codes [N][L or, with `rank`, L + 1]; `codes` itself where they are kept
 */
export function resolveCollisions(
  vectors: Vectors,
  codes: number[][],
  codebooks: readonly Vectors[],
  collisions: Collisions,
): number[][] {
  switch (collisions) {
    case 'reassign':
      return reassign(vectors, codes, codebooks);
    case 'sinkhorn':
      return sinkhornRounds(vectors, codes, codebooks);
    case 'rank':
      return rankCollisions(codes);
    case 'keep':
      return codes;
    default:
      throw new Error(`resolveCollisions: unknown way ${collisions satisfies never}`);
  }
}

/**
 * Items of a group of equal codes get their rank in it, in order of their ids; items alone keep their codes.
 * @example rankCollisions([[4, 1], [2, 2], [4, 1]]) // [[4, 1, 0], [2, 2], [4, 1, 1]]
 */
export function rankCollisions(codes: readonly number[][]): number[][] {
  const sizes = new Map<string, number>();
  for (const path of codes) sizes.set(path.join(), (sizes.get(path.join()) ?? 0) + 1);
  const next = new Map<string, number>();
  return codes.map((path) => {
    const sid = path.join();
    if (sizes.get(sid) === 1) return [...path];
    const rank = next.get(sid) ?? 0;
    next.set(sid, rank + 1);
    return [...path, rank];
  });
}
