/**
 * Where k-means begins: two ways to place the first centres.
 *
 * Shapes: N rows, K codes, D width.
 */
import { rowOf, type Vectors } from '../embed/npy.js';
import type { Random } from '../support/random.js';
import { squaredDistance } from './distance.js';

/** k-means++: each next centre is a row drawn in proportion to its squared distance from the nearest centre so far. */
export function spreadStart(vectors: Vectors, codes: number, random: Random): Vectors {
  const { rows, width } = vectors;
  const data = new Float32Array(codes * width);
  const nearest = new Float64Array(rows).fill(Infinity);
  let pick = random.int(rows);
  for (let code = 0; code < codes; code++) {
    const centre = rowOf(vectors, pick);
    data.set(centre, code * width);
    let total = 0;
    for (let i = 0; i < rows; i++) {
      nearest[i] = Math.min(nearest[i]!, squaredDistance(rowOf(vectors, i), centre));
      total += nearest[i]!;
    }
    // Every distinct row is a centre already: any row will do, its code stays unused.
    pick = total > 0 ? random.weighted(nearest) : random.int(rows);
  }
  return { rows: codes, width, data };
}

/** The means of K random groups of equal size (give or take one): all centres begin in the middle. [K, D] */
export function groupStart(vectors: Vectors, codes: number, random: Random): Vectors {
  const { rows, width } = vectors;
  const data = new Float32Array(codes * width);
  const order = random.shuffle([...Array(rows).keys()]);
  order.forEach((row, place) => {
    const code = place % codes;
    const size = Math.floor(rows / codes) + (code < rows % codes ? 1 : 0);
    rowOf(vectors, row).forEach((x, j) => (data[code * width + j]! += x / size));
  });
  return { rows: codes, width, data };
}
