/**
 * Residual k-means: item vectors -> semantic IDs.
 *
 * Follows MiniOneRec's RQ-Kmeans (3 levels of 256 codes; each level clusters what the levels before left over).
 * Departures:
 *   1. the k-means of a level is ml-kmeans from centres of our own (`kmeans.ts`);
 *   2. by default no two items share a SID afterwards (`reassign.ts`);
 *   3. a level has at most as many codes as there are distinct vectors to cluster, and a small catalogue fewer by
 *      default.
 *
 * Shapes: N items, L levels, K codes, D width.
 */
import { rowOf, type Vectors } from '../embed/npy.js';
import { InputError } from '../support/errors.js';
import { startProgress } from '../support/progress.js';
import { nearestCode, squaredDistance } from './distance.js';
import { kmeans } from './kmeans.js';
import { reassign, reconstruct, subtract } from './reassign.js';

export const COLLISIONS = ['reassign', 'keep'] as const;
export type Collisions = (typeof COLLISIONS)[number];

export interface RqKmeansOptions {
  /** Codes in a SID (L). Default 3, or as many as `codebookSize` has numbers. */
  levels?: number;
  /**
   * Codes a level (K), at most N; one number for all levels or one a level. Default 256, in a catalogue of fewer than
   * 2,048 items an eighth of them (at least 8, or as many as items).
   */
  codebookSize?: number | readonly number[];
  /** Rounds of k-means at most. Default 100. */
  iterations?: number;
  /** What to do with items that share a SID. Default `reassign`; `keep` leaves them. */
  collisions?: Collisions;
  /** Default 42. */
  seed?: number;
}

export interface RqKmeans {
  /** [N][L] */
  codes: number[][];
  /** One a level [K, D]. */
  codebooks: Vectors[];
  /** Mean over items and dimensions of the squared error of the SID's codes, after `collisions`. */
  mse: number;
  /** Share of items beyond the first of each SID, before and after `collisions`. */
  collision: { raw: number; final: number };
  /** Codes with an item, a level [L] */
  codesUsed: number[];
  /** Items a code, over all levels and codes, those without any counted as 0. */
  clusterSize: { min: number; max: number };
}

/**
 * @param vectors [N, D]; equal rows are fine, rows of zeros too
 * @param where names the vectors in errors, such as their file
 * @throws InputError for an option out of range, a row that is not finite, more items than SIDs
 */
export function rqKmeans(vectors: Vectors, options: RqKmeansOptions = {}, where = 'rqKmeans'): RqKmeans {
  const { iterations = 100, collisions = 'reassign', seed = 42 } = options;
  const sizes = codebookSizes(vectors.rows, options, where);
  checkFinite(vectors, where);
  if (!COLLISIONS.includes(collisions)) {
    throw new InputError(`sid: expected collisions ${COLLISIONS.join(' or ')}, got ${String(collisions)}`);
  }
  if (!Number.isInteger(iterations) || iterations < 1) {
    throw new InputError(`sid: expected iterations of 1 or more, got ${iterations}`);
  }
  const capacity = sizes.reduce((product, size) => product * size, 1);
  if (collisions === 'reassign' && vectors.rows > capacity) {
    throw new InputError(
      `${where}: expected at most ${capacity} items for ${sizes.join(' x ')} codes, got ${vectors.rows}; ` +
        'raise --codebook-size or --levels, or pass --collisions keep',
    );
  }
  const { codes: raw, codebooks } = quantise(vectors, sizes, iterations, seed);
  const codes = collisions === 'reassign' ? reassign(vectors, raw, codebooks) : raw;
  return {
    codes,
    codebooks,
    mse: meanSquaredError(vectors, codes, codebooks),
    collision: { raw: collisionRate(raw), final: collisionRate(codes) },
    ...usage(codes, sizes),
  };
}

function codebookSizes(items: number, options: RqKmeansOptions, where: string): number[] {
  const { codebookSize = Math.min(256, Math.max(Math.min(8, items), Math.ceil(items / 8))) } = options;
  const { levels = typeof codebookSize === 'number' ? 3 : codebookSize.length } = options;
  if (items < 1) throw new InputError(`${where}: expected item vectors, got none; embed the items first`);
  if (!Number.isInteger(levels) || levels < 1 || levels > 26) {
    throw new InputError(`sid: expected --levels from 1 to 26 (one letter each), got ${levels}`);
  }
  const sizes = typeof codebookSize === 'number' ? Array<number>(levels).fill(codebookSize) : [...codebookSize];
  if (sizes.length !== levels) {
    throw new InputError(`sid: expected ${levels} codebook sizes, one a level, got ${sizes.length}`);
  }
  for (const size of sizes) {
    if (!Number.isInteger(size) || size < 1 || size > items) {
      throw new InputError(
        `${where}: expected a codebook size from 1 to ${items}, the number of items, got ${size}; set --codebook-size`,
      );
    }
  }
  return sizes;
}

function checkFinite(vectors: Vectors, where: string): void {
  const bad = vectors.data.findIndex((x) => !Number.isFinite(x));
  if (bad >= 0) {
    const [row, column] = [Math.floor(bad / vectors.width), bad % vectors.width];
    throw new InputError(`${where}: row ${row}, column ${column} is ${vectors.data[bad]}; embed the items anew`);
  }
}

function quantise(vectors: Vectors, sizes: readonly number[], iterations: number, seed: number) {
  const residual: Vectors = { ...vectors, data: vectors.data.slice() };
  const codes: number[][] = Array.from({ length: vectors.rows }, () => []);
  const progress = startProgress('sid', sizes.length, 'levels');
  const codebooks = sizes.map((size, level) => {
    const codebook = kmeans(residual, { codes: size, iterations, seed: `${seed}/${level}` });
    codes.forEach((path, i) => {
      const left = rowOf(residual, i);
      const code = nearestCode(left, codebook);
      path.push(code);
      left.set(subtract(left, rowOf(codebook, code)));
    });
    progress.tick();
    return codebook;
  });
  progress.end();
  return { codes, codebooks };
}

function meanSquaredError(vectors: Vectors, codes: readonly number[][], codebooks: readonly Vectors[]): number {
  let sum = 0;
  codes.forEach((path, i) => (sum += squaredDistance(rowOf(vectors, i), reconstruct(path, codebooks))));
  return sum / vectors.data.length;
}

/** 1 - (distinct SIDs) / items: MiniOneRec's collision rate. */
export function collisionRate(codes: readonly (readonly (number | string)[])[]): number {
  return 1 - new Set(codes.map((path) => path.join())).size / codes.length;
}

function usage(codes: readonly number[][], sizes: readonly number[]): Pick<RqKmeans, 'codesUsed' | 'clusterSize'> {
  const counts = countCodes(codes, sizes);
  return {
    codesUsed: counts.map((level) => level.filter((count) => count > 0).length),
    clusterSize: { min: Math.min(...counts.flat()), max: Math.max(...counts.flat()) },
  };
}

/** Items of each code, a level [L][K]. */
export function countCodes(codes: readonly (readonly number[])[], sizes: readonly number[]): number[][] {
  return sizes.map((size, level) => {
    const counts = Array<number>(size).fill(0);
    for (const path of codes) counts[path[level]!]!++;
    return counts;
  });
}
