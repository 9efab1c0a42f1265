/**
 * Semantic IDs for items that arrive after the codebooks were made, and the items of a SID.
 *
 * Shapes: N items, L levels, K codes, D width.
 */
import type { SidIndex } from '../data/sid-index.js';
import { rowOf, type Vectors } from '../files/npy.js';
import { InputError } from '../support/errors.js';
import { checkFinite } from './check-input.js';
import { FreeCodes } from './collisions/free-codes.js';
import { nearestCodes } from './kmeans/lloyd.js';
import { subtractCodes } from './residual.js';

/**
 * The nearest code of each level, of what the levels before left over.
 *
 * @param vectors [N, D], of the encoder (and for learned codebooks: in the latent space) that the codebooks were made of
 * @param codebooks one a level, [K, D]
 * @param taken codes of the SIDs that are in use. With it no item gets one of these, nor one of another new item:
 *   it moves to the nearest free code, as `reassign` does; a SID that has ranks is in use as a whole. Without it items
 *   may share SIDs.
 * @returns codes [N][L]
 * @throws InputError for codebooks of another width, a row that is not finite, no room
 */
export function assignSids(
  vectors: Vectors,
  codebooks: readonly Vectors[],
  taken?: Iterable<readonly number[]>,
): number[][] {
  const odd = codebooks.findIndex(({ width }) => width !== vectors.width);
  if (odd >= 0 || codebooks.length === 0) {
    throw new InputError(
      codebooks.length === 0
        ? 'assignSids: expected a codebook or more, got none; run sidlab sid first'
        : `assignSids: expected codebooks of width ${vectors.width}, as the vectors, got ${codebooks[odd]!.width} ` +
            `at level ${odd}; take the encoder that the codebooks were made with`,
    );
  }
  checkFinite(vectors, 'assignSids');
  const residual = { ...vectors, data: vectors.data.slice() };
  const codes: number[][] = Array.from({ length: vectors.rows }, () => []);
  for (const codebook of vectors.rows > 0 ? codebooks : []) {
    const nearest = nearestCodes(residual, codebook);
    codes.forEach((path, i) => path.push(nearest[i]!));
    subtractCodes(residual, nearest, codebook);
  }
  return taken === undefined ? codes : apart(vectors, codes, codebooks, taken);
}

function apart(
  vectors: Vectors,
  codes: readonly number[][],
  codebooks: readonly Vectors[],
  taken: Iterable<readonly number[]>,
): number[][] {
  const free = new FreeCodes(codebooks);
  for (const path of taken) free.take(path);
  if (codes.length > free.room) {
    throw new InputError(
      `assignSids: expected room for ${codes.length} items, got ${free.room} free SIDs; run sidlab sid again with more codes`,
    );
  }
  return codes.map((own, i) => {
    if (!free.has(own)) {
      free.take(own);
      return own;
    }
    return free.claim(rowOf(vectors, i), own);
  });
}

/**
 * SID -> ids of its items, in order; several only where collisions were kept.
 * @example sidItems([['<a_1>', '<b_2>'], ['<a_1>', '<b_3>']]).get('<a_1><b_3>') // [1]
 */
export function sidItems(index: SidIndex): Map<string, number[]> {
  const items = new Map<string, number[]>();
  index.forEach((tokens, id) => {
    const sid = tokens.join('');
    const own = items.get(sid);
    if (own) own.push(id);
    else items.set(sid, [id]);
  });
  return items;
}
