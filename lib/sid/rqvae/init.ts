/**
 * Where an RQ-VAE's training begins: Xavier weights, and codebooks from k-means on what the encoder makes of the
 * items, level by level on what the levels before left over.
 *
 * Shapes: N items, D width, E latent width, K codes of a level.
 */
import * as tf from '@tensorflow/tfjs';
import type { Vectors } from '../../files/npy.js';
import type { NamedArray } from '../../files/safetensors.js';
import { kmeans } from '../kmeans/kmeans.js';
import { subtractCodes } from '../residual.js';
import type { RqVaePlan } from './options.js';
import { codebookName, startArrays } from './parameters.js';
import { encode } from './step.js';

/** @param codebooks to start from, one a level [K, E], unscaled; else they are 0 until `startCodebooks` */
export function initialRqVae(plan: RqVaePlan, codebooks?: readonly Vectors[]): Map<string, NamedArray> {
  const arrays = startArrays(plan.shape, plan.seed);
  codebooks?.forEach((book, level) => {
    arrays.get(codebookName(level))!.data.set(book.data.map((value) => value * plan.scale));
  });
  return arrays;
}

/**
 * Fills the codebooks by k-means.
 * @param x [N, D], scaled
 * @param first items of the first batch
 */
export function startCodebooks(
  plan: RqVaePlan,
  x: tf.Tensor2D,
  first: readonly number[],
  parameters: ReadonlyMap<string, tf.Variable>,
): void {
  const { shape, seed, kmeansInit: kmeansStart, kmeansIterations: iterations } = plan;
  const rows = kmeansStart === 'all' ? x : tf.tidy(() => tf.gather(x, tf.tensor1d([...first], 'int32')));
  const residual = encode(shape, parameters, rows);
  if (rows !== x) rows.dispose();
  shape.sizes.forEach((codes, level) => {
    const book = kmeans(residual, { codes, iterations, seed: `${seed}/${level}` });
    tf.tidy(() => parameters.get(codebookName(level))!.assign(tf.tensor2d(book.data, [book.rows, book.width])));
    subtractCodes(residual, book.codes, book);
  });
}
