/**
 * Resets dead codes, those that no item uses while an RQ-VAE trains, to what the levels before left over of an item.
 *
 * Follows the random restarts of Jukebox (Dhariwal et al., arXiv 2005.00341) and SoundStream (Zeghidour et al., arXiv
 * 2107.03312). Departures:
 *   1. use is counted over all items at an epoch's end, not as a running mean over batches;
 *   2. items are drawn in proportion to their squared distance from their code (k-means++'s rule), each once: one that is
 *      well served already gains nothing from a code of its own.
 *
 * Shapes: N items, D width of the vectors, E width of the latent, L levels, K codes of a level.
 */
import * as tf from '@tensorflow/tfjs';
import type { Cluster } from '../../cluster/cluster.js';
import { rowOf, type Vectors } from '../../files/npy.js';
import type { Random } from '../../support/random.js';
import { squaredDistance } from '../kmeans/distance.js';
import { nearestCodes } from '../kmeans/lloyd.js';
import { subtractCodes } from '../residual.js';
import { codebookName, codebooksOf, fromVariables, type RqVaeShape } from './parameters.js';
import { encodeAll } from './processes.js';
import type { ScaledRows } from './scaled-rows.js';

/**
 * Resets unused codes, in place of the codebooks among `parameters`; the levels after see what the moved codes leave.
 * @param rows of all items [N, D]
 * @param cluster processes that share the work; all reset the same codes
 * @returns how many moved, a level [L]
 */
export function resetDeadCodes(
  shape: RqVaeShape,
  parameters: ReadonlyMap<string, tf.Variable>,
  rows: ScaledRows,
  random: Random,
  cluster?: Cluster,
): number[] {
  const residual = encodeAll(shape, parameters, rows, cluster);
  const names = shape.sizes.map((_, level) => codebookName(level));
  const books = codebooksOf(shape, fromVariables(new Map(names.map((name) => [name, parameters.get(name)!]))));
  return books.map((book, level) => {
    let codes = nearestCodes(residual, book);
    const moved = moveDeadCodes(residual, book, codes, random);
    if (moved > 0) {
      tf.tidy(() => parameters.get(names[level]!)!.assign(tf.tensor2d(book.data, [book.rows, book.width])));
      codes = nearestCodes(residual, book);
    }
    subtractCodes(residual, codes, book);
    return moved;
  });
}

/** Writes items' residuals [N, E] over the unused rows of `book` [K, E]. @returns how many rows */
export function moveDeadCodes(residual: Vectors, book: Vectors, codes: Int32Array, random: Random): number {
  const used = new Set(codes);
  const weights = Float64Array.from(codes, (code, i) => squaredDistance(rowOf(residual, i), rowOf(book, code)));
  let moved = 0;
  for (let code = 0; code < book.rows; code++) {
    if (used.has(code)) continue;
    if (!weights.some((weight) => weight > 0)) break; // every item lies on a code
    const item = random.weighted(weights);
    weights[item] = 0;
    book.data.set(rowOf(residual, item), code * book.width);
    moved++;
  }
  return moved;
}
