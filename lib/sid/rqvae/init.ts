/**
 * Where an RQ-VAE's training begins: Xavier weights, and codebooks from k-means on what the encoder makes of the
 * items, level by level on what the levels before left over; or uniform numbers in -1/K to 1/K, as MiniOneRec's `rq/` has
 * without `kmeans_init`.
 *
 * Shapes: N items, D width, E latent width, K codes of a level.
 */
import * as tf from '@tensorflow/tfjs';
import type { Cluster } from '../../cluster/cluster.js';
import type { Vectors } from '../../files/npy.js';
import type { NamedArray } from '../../files/safetensors.js';
import { Random } from '../../support/random.js';
import { kmeans } from '../kmeans/kmeans.js';
import { subtractCodes } from '../residual.js';
import type { RqVaePlan } from './options.js';
import { codebookName, initialArrays } from './parameters.js';
import { encodeAll } from './processes.js';
import type { ScaledRows } from './scaled-rows.js';

/** @param codebooks to start from, one a level [K, E], unscaled; else they are 0 until `initCodebooks` */
export function initialRqVae(plan: RqVaePlan, codebooks?: readonly Vectors[]): Map<string, NamedArray> {
  const arrays = initialArrays(plan.shape, plan.seed);
  codebooks?.forEach((book, level) => {
    arrays.get(codebookName(level))!.data.set(book.data.map((value) => value * plan.scale));
  });
  return arrays;
}

/**
 * Fills the codebooks, by k-means or uniform numbers.
 * @param rows of all items [N, D]
 * @param first items of the first batch
 * @param cluster processes that share the work; all get the same codebooks
 */
export function initCodebooks(
  plan: RqVaePlan,
  rows: ScaledRows,
  first: readonly number[],
  parameters: ReadonlyMap<string, tf.Variable>,
  cluster?: Cluster,
): void {
  const { shape, seed, kmeansInit, kmeansIterations: iterations } = plan;
  if (kmeansInit === 'none') return fillUniformly(plan, parameters);
  const residual = encodeAll(shape, parameters, kmeansInit === 'all' ? rows : rows.pick(first), cluster);
  shape.sizes.forEach((codes, level) => {
    const book = kmeans(residual, { codes, iterations, seed: `${seed}/${level}`, cluster });
    tf.tidy(() => parameters.get(codebookName(level))!.assign(tf.tensor2d(book.data, [book.rows, book.width])));
    subtractCodes(residual, book.codes, book);
  });
}

function fillUniformly({ shape, seed }: RqVaePlan, parameters: ReadonlyMap<string, tf.Variable>): void {
  const random = new Random(`${seed}/codebooks`);
  shape.sizes.forEach((codes, level) => {
    const data = Float32Array.from({ length: codes * shape.latent }, () => (2 * random.next() - 1) / codes);
    tf.tidy(() => parameters.get(codebookName(level))!.assign(tf.tensor2d(data, [codes, shape.latent])));
  });
}
