/**
 * Residual quantization: each level clusters what the levels before left over.
 *
 * Shapes: N items, L levels, K codes, D width.
 */
import type { Vectors } from '../files/npy.js';
import { startProgress } from '../support/progress.js';
import { type Collisions } from './choices.js';
import { resolveCollisions } from './collisions/collisions.js';
import { codeUsage, collisionRate, meanSquaredError, type QuantizeResult } from './quantized.js';

/** Clusters the rows of one level: centres [K, D], and the code of each row [N]. */
export type LevelClustering = (residual: Vectors, codes: number, level: number) => Vectors & { codes: Int32Array };

/**
 * @param vectors [N, D]
 * @param sizes codes a level [L]
 */
export function residualQuantize(
  vectors: Vectors,
  sizes: readonly number[],
  collisions: Collisions,
  cluster: LevelClustering,
): QuantizeResult {
  const residual: Vectors = { ...vectors, data: vectors.data.slice() };
  const raw: number[][] = Array.from({ length: vectors.rows }, () => []);
  const progress = startProgress('sid', sizes.length, 'levels');
  const codebooks = sizes.map((size, level) => {
    const { rows, width, data, codes } = cluster(residual, size, level);
    const codebook = { rows, width, data };
    raw.forEach((path, i) => path.push(codes[i]!));
    subtractCodes(residual, codes, codebook);
    progress.tick();
    return codebook;
  });
  progress.end();
  return quantizeResult(vectors, raw, codebooks, collisions);
}

/**
 * Resolves collisions and computes the metrics.
 * @param vectors [N, D], in the space of the codebooks
 * @param raw codes [N][L]
 */
export function quantizeResult(
  vectors: Vectors,
  raw: number[][],
  codebooks: Vectors[],
  collisions: Collisions,
): QuantizeResult {
  const codes = resolveCollisions(vectors, raw, codebooks, collisions);
  return {
    codes,
    raw,
    codebooks,
    mse: meanSquaredError(vectors, codes, codebooks),
    collision: { raw: collisionRate(raw), final: collisionRate(codes) },
    ...codeUsage(
      codes,
      codebooks.map((codebook) => codebook.rows),
    ),
  };
}

/** Takes from every row [N, D] its code of [K, D], in place. */
export function subtractCodes(rows: Vectors, codes: ArrayLike<number>, codebook: Vectors): void {
  const { width, data } = rows;
  for (let i = 0; i < rows.rows; i++) {
    const from = codes[i]! * width;
    for (let j = 0; j < width; j++) data[i * width + j]! -= codebook.data[from + j]!;
  }
}
