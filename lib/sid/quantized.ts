/**
 * What every method that turns vectors into semantic IDs gives back, and the figures that are computed from it.
 *
 * Shapes: N items, L levels, K codes, D width.
 */
import { rowOf, type Vectors } from '../files/npy.js';
import { squaredDistance } from './kmeans/distance.js';
import type { RqVaeModel } from './rqvae/model.js';

export interface QuantizeResult {
  /** [N][L]; a colliding item may have one more, its rank in the group (`collisions.ts`). */
  codes: number[][];
  /** Codes before collisions were settled [N][L]. */
  raw: number[][];
  /** One a level [K, D]; the codes of a level may be fewer than asked for, never more. */
  codebooks: Vectors[];
  /** Mean over items and dimensions of the squared error of the SID's codes, after collisions were settled. */
  mse: number;
  /** Share of items beyond the first of each SID, before and after collisions were settled. */
  collision: { raw: number; final: number };
  /** Codes with an item, a level [L] */
  codesUsed: number[];
  /** Items a code, over all levels and codes, those without any counted as 0. */
  clusterSize: { min: number; max: number };
  /** Of a learned method: its codebooks are as wide as this model's latent. */
  model?: RqVaeModel;
}

/** 1 - (distinct SIDs) / items: MiniOneRec's collision rate. */
export function collisionRate(codes: readonly (readonly (number | string)[])[]): number {
  return 1 - new Set(codes.map((path) => path.join())).size / codes.length;
}

/** Items of each code, a level [L][K]. */
export function countCodes(codes: readonly (readonly number[])[], sizes: readonly number[]): number[][] {
  return sizes.map((size, level) => {
    const counts = Array<number>(size).fill(0);
    for (const path of codes) counts[path[level]!]!++;
    return counts;
  });
}

/** @param sizes codes a level [L] */
export function codeUsage(
  codes: readonly number[][],
  sizes: readonly number[],
): Pick<QuantizeResult, 'codesUsed' | 'clusterSize'> {
  const counts = countCodes(codes, sizes);
  return {
    codesUsed: counts.map((level) => level.filter((count) => count > 0).length),
    clusterSize: {
      min: Math.min(...counts.map((level) => Math.min(...level))),
      max: Math.max(...counts.map((level) => Math.max(...level))),
    },
  };
}

/** The sum of a SID's codes [D]; numbers beyond the last codebook (a rank) stand for nothing. */
export function reconstruct(path: readonly number[], codebooks: readonly Vectors[]): Float32Array {
  const sum = new Float32Array(codebooks[0]!.width);
  codebooks.forEach((codebook, level) => {
    const row = rowOf(codebook, path[level]!);
    for (let j = 0; j < sum.length; j++) sum[j]! += row[j]!;
  });
  return sum;
}

/**
 * Mean over items and dimensions of the squared difference between vectors and what their SIDs stand for.
 * @param decode sums of codes [N, E] -> [N, D]; default the sums themselves
 */
export function meanSquaredError(
  vectors: Vectors,
  codes: readonly number[][],
  codebooks: readonly Vectors[],
  decode?: (sums: Vectors) => Vectors,
): number {
  const decoded = decode?.(sumsOfCodes(codes, codebooks));
  let sum = 0;
  codes.forEach((path, i) => {
    sum += squaredDistance(rowOf(vectors, i), decoded ? rowOf(decoded, i) : reconstruct(path, codebooks));
  });
  return sum / vectors.data.length;
}

/** [N, D] */
function sumsOfCodes(codes: readonly number[][], codebooks: readonly Vectors[]): Vectors {
  const width = codebooks[0]!.width;
  const data = new Float32Array(codes.length * width);
  codes.forEach((path, i) => data.set(reconstruct(path, codebooks), i * width));
  return { rows: codes.length, width, data };
}
