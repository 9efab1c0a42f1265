/** The items most like one, by the cosine of their vectors. */
import { checkFinite } from '../files/finite.js';
import { rowOf, type Vectors } from '../files/npy.js';

/** An item and its cosine to the one that was asked about. */
export interface Alike {
  /** Item id. */
  item: number;
  /** In [-1, 1]. */
  cosine: number;
}

/**
 * @param vectors [N, D]; a row of zeros is like nothing (cosine 0)
 * @returns at most `count` other items, most alike first, equal ones by id
 * @throws RangeError for an item that is none, InputError for vectors that are not finite: NaN has no order
 */
export function mostAlike(vectors: Vectors, item: number, count = 10): Alike[] {
  if (!(Number.isInteger(item) && item >= 0 && item < vectors.rows)) {
    throw new RangeError(`mostAlike: expected an item from 0 to ${vectors.rows - 1}, got ${item}`);
  }
  checkFinite(vectors, 'mostAlike');
  const own = rowOf(vectors, item);
  const all: Alike[] = [];
  for (let other = 0; other < vectors.rows; other++) {
    if (other !== item) all.push({ item: other, cosine: cosine(own, rowOf(vectors, other)) });
  }
  return all.sort((a, b) => b.cosine - a.cosine || a.item - b.item).slice(0, count);
}

/** @returns 0 where one of the two is zero throughout */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [product, aa, bb] = [0, 0, 0];
  for (let d = 0; d < a.length; d++) {
    product += a[d]! * b[d]!;
    aa += a[d]! ** 2;
    bb += b[d]! ** 2;
  }
  return aa === 0 || bb === 0 ? 0 : product / Math.sqrt(aa * bb);
}
