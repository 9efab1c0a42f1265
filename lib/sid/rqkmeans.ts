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
import { type Vectors } from '../embed/npy.js';
import { startProgress } from '../support/progress.js';
import { checkFinite, checkWhole, codebookSizes, type LevelOptions } from './check-input.js';
import { checkCollisions, settleCollisions, type Collisions } from './collisions.js';
import { kmeans } from './kmeans.js';
import { codeUsage, collisionRate, meanSquaredError, type Quantized } from './quantized.js';

export interface RqKmeansOptions extends LevelOptions {
  /** Rounds of k-means at most. Default 100. */
  iterations?: number;
  /** What to do with items that share a SID. Default `reassign`. */
  collisions?: Collisions;
  /** Default 42. */
  seed?: number;
}

/**
 * @param vectors [N, D]; equal rows are fine, rows of zeros too
 * @param where names the vectors in errors, such as their file
 * @throws InputError for an option out of range, a row that is not finite, more items than SIDs
 */
export function rqKmeans(vectors: Vectors, options: RqKmeansOptions = {}, where = 'rqKmeans'): Quantized {
  const { iterations = 100, collisions = 'reassign', seed = 42 } = options;
  const sizes = codebookSizes(vectors.rows, options, where);
  checkFinite(vectors, where);
  checkCollisions(collisions, vectors.rows, sizes, where);
  checkWhole('iterations', iterations);
  const { codes: raw, codebooks } = quantise(vectors, sizes, iterations, seed);
  const codes = settleCollisions(vectors, raw, codebooks, collisions);
  return {
    codes,
    codebooks,
    mse: meanSquaredError(vectors, codes, codebooks),
    collision: { raw: collisionRate(raw), final: collisionRate(codes) },
    ...codeUsage(codes, sizes),
  };
}

function quantise(vectors: Vectors, sizes: readonly number[], iterations: number, seed: number) {
  const residual: Vectors = { ...vectors, data: vectors.data.slice() };
  const codes: number[][] = Array.from({ length: vectors.rows }, () => []);
  const progress = startProgress('sid', sizes.length, 'levels');
  const codebooks = sizes.map((size, level) => {
    const { centres: codebook, codes: chosen } = kmeans(residual, {
      codes: size,
      iterations,
      seed: `${seed}/${level}`,
    });
    codes.forEach((path, i) => path.push(chosen[i]!));
    subtractCodes(residual, chosen, codebook);
    progress.tick();
    return codebook;
  });
  progress.end();
  return { codes, codebooks };
}

/** Takes from every row [N, D] its code of [K, D], in place. */
export function subtractCodes(rows: Vectors, codes: ArrayLike<number>, codebook: Vectors): void {
  const { width, data } = rows;
  for (let i = 0; i < rows.rows; i++) {
    const from = codes[i]! * width;
    for (let j = 0; j < width; j++) data[i * width + j]! -= codebook.data[from + j]!;
  }
}
