/**
 * Codes that k-means left without a row go where they help most: to the rows farthest from their centres.
 *
 * Follows scikit-learn's KMeans, which moves empty clusters to the farthest rows. Departures:
 *   1. it does so within every iteration, here it is done when no row changes its code any more: where no code is empty in
 *      the end the iterations are Lloyd's own;
 *   2. of equal rows one is taken, and a row that lies on its centre none: fewer distinct rows than codes leave codes
 *      empty.
 *
 * Shapes: N rows, K codes, D width.
 */
import { rowOf, type Vectors } from '../../files/npy.js';
import { squaredDistance } from './distance.js';

/**
 * @param centres [K, D]
 * @param codes of the rows [N]
 * @returns centres with the empty ones moved, the lowest to the farthest row, ties to the lower row; undefined where
 *   none is empty or no row lies apart from its centre
 */
export function fillEmptyCodes(vectors: Vectors, centres: Vectors, codes: Int32Array): Vectors | undefined {
  const used = new Set(codes);
  const empty = [...Array(centres.rows).keys()].filter((code) => !used.has(code));
  if (empty.length === 0) return undefined;
  const rows = farthestRows(vectors, centres, codes, empty.length);
  if (rows.length === 0) return undefined;
  const data = centres.data.slice();
  rows.forEach((row, i) => data.set(rowOf(vectors, row), empty[i]! * centres.width));
  return { rows: centres.rows, width: centres.width, data };
}

/** At most `count` distinct rows apart from their centres, the farthest first; ties to the lower, as sorting is stable. */
function farthestRows(vectors: Vectors, centres: Vectors, codes: Int32Array, count: number): number[] {
  const distances = Float64Array.from(codes, (code, i) => squaredDistance(rowOf(vectors, i), rowOf(centres, code)));
  const order = [...distances.keys()].sort((a, b) => distances[b]! - distances[a]!);
  const chosen: number[] = [];
  for (const row of order) {
    if (chosen.length === count || !(distances[row]! > 0)) break;
    // equal rows have equal codes and distances, so a twin is among the last that were chosen
    const isTwin = (other: number): boolean =>
      distances[other] === distances[row] && squaredDistance(rowOf(vectors, row), rowOf(vectors, other)) === 0;
    if (!chosen.some(isTwin)) chosen.push(row);
  }
  return chosen;
}
