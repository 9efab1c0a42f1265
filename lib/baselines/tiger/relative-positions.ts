/**
 * T5's relative positions (Raffel et al., arXiv 1910.10683): a number for each head and bucket of distances, added to the
 * scores of attention. Small distances have a bucket each, larger ones share buckets of logarithmic width.
 */

/** Buckets, and the distance from which all share the last one. */
export const BUCKETS = { count: 32, farthest: 128 } as const;

/**
 * Bucket of a key seen from a query, as transformers' `_relative_position_bucket`.
 * @param distance place of the key minus that of the query
 * @param both whether keys behind the query have buckets of their own, the upper half; else they count as distance 0
 * @example relativeBucket(-3, false) // 3
 */
export function relativeBucket(distance: number, both: boolean): number {
  const half = both ? BUCKETS.count / 2 : BUCKETS.count;
  const upper = both && distance > 0 ? half : 0;
  const size = both ? Math.abs(distance) : Math.max(0, -distance);
  const exact = half / 2;
  if (size < exact) return upper + size;
  const share = Math.log(size / exact) / Math.log(BUCKETS.farthest / exact);
  return upper + Math.min(half - 1, exact + Math.floor(share * (half - exact)));
}

/** Buckets of all keys for all queries, row by row [queries * keys]. */
export function bucketTable(queries: number, keys: number, both: boolean): Int32Array {
  return Int32Array.from({ length: queries * keys }, (_, at) =>
    relativeBucket((at % keys) - Math.floor(at / keys), both),
  );
}
