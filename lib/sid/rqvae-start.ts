/**
 * Where an RQ-VAE's training begins: Xavier weights, and codebooks from k-means on what the untrained encoder makes of
 * the items, level by level on what the levels before left over.
 *
 * Shapes: N items, D width, E latent width, K codes of a level.
 */
import * as tf from '@tensorflow/tfjs';
import type { Vectors } from '../embed/npy.js';
import type { NamedArray } from '../support/index.js';
import { kmeans } from './kmeans.js';
import { subtractCodes } from './residual.js';
import { codebookName, startArrays, toVariables } from './rqvae-parameters.js';
import type { RqVaePlan } from './rqvae-options.js';
import { encode } from './rqvae-step.js';

/**
 * @param x [N, D], scaled
 * @param first items of the first batch
 * @param codebooks to start from instead of k-means, one a level [K, E], in the unscaled space
 */
export function startModel(
  plan: RqVaePlan,
  x: tf.Tensor2D,
  first: readonly number[],
  codebooks?: readonly Vectors[],
): Map<string, NamedArray> {
  const { shape, seed, kmeansStart, kmeansIterations: iterations } = plan;
  const arrays = startArrays(shape, seed);
  if (codebooks) {
    codebooks.forEach((book, level) =>
      arrays.get(codebookName(level))!.data.set(book.data.map((value) => value * plan.scale)),
    );
    return arrays;
  }
  const parameters = toVariables(arrays);
  const rows = kmeansStart === 'all' ? x : tf.tidy(() => tf.gather(x, tf.tensor1d([...first], 'int32')));
  const residual = encode(shape, parameters, rows);
  if (rows !== x) rows.dispose();
  tf.dispose([...parameters.values()]);
  shape.sizes.forEach((codes, level) => {
    const book = kmeans(residual, { codes, iterations, seed: `${seed}/${level}` });
    arrays.get(codebookName(level))!.data.set(book.data);
    subtractCodes(residual, book.codes, book);
  });
  return arrays;
}
