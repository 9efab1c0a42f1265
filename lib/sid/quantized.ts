/**
 * What every method that turns vectors into semantic IDs gives back, and the metrics that are computed from it.
 *
 * Shapes: N items, L levels, K codes, D width.
 */
import { rowOf, type Vectors } from '../files/npy.js';
import { InputError } from '../support/errors.js';
import { squaredDistance } from './kmeans/distance.js';
import type { RqVaeModel } from './rqvae/model.js';

/** Semantic IDs of all items, and how well they do. */
export interface QuantizeResult {
  /** [N][L]; a colliding item may have one more, its rank in the group (`collisions.ts`). */
  codes: number[][];
  /** Codes before collisions were resolved [N][L]. */
  raw: number[][];
  /** One a level [K, D]; the codes of a level may be fewer than asked for, never more. */
  codebooks: Vectors[];
  /** Mean over items and dimensions of the squared error of the SID's codes, after collisions were resolved. */
  mse: number;
  /** Share of items beyond the first of each SID, before and after collisions were resolved. */
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
  const clusterSize = { min: Infinity, max: 0 };
  for (const count of counts.flat()) {
    clusterSize.min = Math.min(clusterSize.min, count);
    clusterSize.max = Math.max(clusterSize.max, count);
  }
  return { codesUsed: counts.map((level) => level.filter((count) => count > 0).length), clusterSize };
}

/** The sum of a SID's codes [D]; numbers beyond the last codebook (a rank) add nothing. */
export function reconstruct(path: readonly number[], codebooks: readonly Vectors[]): Float32Array {
  const sum = new Float32Array(codebooks[0]!.width);
  codebooks.forEach((codebook, level) => {
    const row = rowOf(codebook, path[level]!);
    for (let j = 0; j < sum.length; j++) sum[j]! += row[j]!;
  });
  return sum;
}

/** Items that are reconstructed at once. */
const BLOCK = 8192;

/**
 * Mean over items and dimensions of the squared difference between vectors and what their SIDs are decoded to.
 * @param decode sums of codes [N, E] -> [N, D]; default the sums themselves
 */
export function meanSquaredError(
  vectors: Vectors,
  codes: readonly number[][],
  codebooks: readonly Vectors[],
  decode?: (sums: Vectors) => Vectors,
): number {
  let sum = 0;
  for (let first = 0; first < codes.length; first += BLOCK) {
    const sums = sumsOfCodes(codes.slice(first, first + BLOCK), codebooks);
    const decoded = decode?.(sums) ?? sums;
    for (let i = 0; i < sums.rows; i++) sum += squaredDistance(rowOf(vectors, first + i), rowOf(decoded, i));
  }
  return sum / vectors.data.length;
}

/**
 * Checks what a method gives back, before anything is written.
 * @param vectors [N, D] that it was given: their number
 * @param name of the method, for the message
 * @throws InputError for another number of items, a code without a row in its codebook, a missing or surplus model
 */
export function checkQuantized(
  result: QuantizeResult,
  vectors: Pick<Vectors, 'rows'>,
  name: string,
  learned: boolean,
): void {
  const { codes, raw, codebooks, model } = result;
  const fail = (what: string): InputError => new InputError(`sid: method ${name}: expected ${what}`);
  if ((model !== undefined) !== learned) {
    throw fail(learned ? 'the model of a learned method, got none' : 'no model, as it is not learned, got one');
  }
  for (const [which, paths] of Object.entries({ codes, raw })) {
    if (paths.length !== vectors.rows) throw fail(`${which} of ${vectors.rows} items, got ${paths.length}`);
    const bad = paths.findIndex((path) => !codebooks.every((book, level) => isRow(path[level], book.rows)));
    if (bad >= 0) throw fail(`${which} among the codebooks' rows, got ${paths[bad]!.join(' ')} for item ${bad}`);
  }
}

function isRow(code: number | undefined, rows: number): boolean {
  return Number.isInteger(code) && code! >= 0 && code! < rows;
}

/** [N, D] */
function sumsOfCodes(codes: readonly number[][], codebooks: readonly Vectors[]): Vectors {
  const width = codebooks[0]!.width;
  const data = new Float32Array(codes.length * width);
  codes.forEach((path, i) => data.set(reconstruct(path, codebooks), i * width));
  return { rows: codes.length, width, data };
}
