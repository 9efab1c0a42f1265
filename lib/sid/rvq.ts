/**
 * R-VQ: residual vector quantization whose codebooks are learned together, in batches, as running means of the rows that
 * choose them (Zeghidour et al., SoundStream, arXiv 2107.03312, without its networks: the codebooks live among the vectors).
 *
 * Unlike residual k-means a level does not wait until the one before has converged, and no pass needs all rows at once.
 * k-means on the first batches fills the codebooks; in the first half of the epochs codes that no item uses are reset to
 * what the levels before left of an item, drawn by its squared distance.
 *
 * Shapes: N items, B rows of a batch, L levels, K codes of a level, D width.
 */
import * as tf from '@tensorflow/tfjs';
import { rowOf, type Vectors } from '../files/npy.js';
import { largest } from '../support/extremes.js';
import { startProgress } from '../support/progress.js';
import { Random } from '../support/random.js';
import { assignSids } from './assign-sids.js';
import { checkFinite, codebookSizes } from './check-input.js';
import { checkCollisions } from './collisions/collisions.js';
import { pickRows } from './kmeans/initial-centres.js';
import { kmeans } from './kmeans/kmeans.js';
import { nearestCodes } from './kmeans/lloyd.js';
import { RVQ_OPTIONS, type RvqOptions } from './method-options.js';
import type { QuantizeResult } from './quantized.js';
import { quantizeResult, subtractCodes } from './residual.js';
import { moveDeadCodes } from './rqvae/dead-codes.js';
import { EmaCodebooks } from './rqvae/ema-codebooks.js';
import { chooseCodes, closenessTo } from './rqvae/quantize.js';

/** Rows of k-means, for each code: enough that none is left without. */
const ROWS_A_CODE = 32;

/**
 * @param vectors [N, D] @param where names the vectors in errors, such as their file
 * @throws InputError for an option out of range, a row that is not finite, more items than SIDs
 */
export function rvq(vectors: Vectors, options: RvqOptions = {}, where = 'rvq'): QuantizeResult {
  const { epochs, batchSize, emaDecay, iterations, collisions, seed, ...levels } = RVQ_OPTIONS.parse(options);
  const sizes = codebookSizes(vectors.rows, levels, where);
  checkFinite(vectors, where);
  checkCollisions(collisions, vectors.rows, sizes, where);
  const books = initialCodebooks(vectors, sizes, iterations, seed);
  const variables = books.map((book) => tf.tidy(() => tf.variable(tf.tensor2d(book.data, [book.rows, book.width]))));
  const ema = new EmaCodebooks(new Map(variables.map((variable, level) => [String(level), variable])), emaDecay);
  const progress = startProgress('rvq', epochs, 'epochs');
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = new Random(`${seed}/epoch/${epoch}`).shuffle([...Array(vectors.rows).keys()]);
      for (let first = 0; first < order.length; first += batchSize) {
        step(vectors, order.slice(first, first + batchSize), variables, ema);
      }
      if (epoch < Math.floor(epochs / 2)) {
        if (resetDead(vectors, variables, new Random(`${seed}/reset/${epoch}`)) > 0) ema.anchor();
      }
      progress.tick();
    }
    const codebooks = variables.map(vectorsOf);
    return quantizeResult(vectors, assignSids(vectors, codebooks), codebooks, collisions);
  } finally {
    progress.end();
    ema.dispose();
    tf.dispose(variables);
  }
}

/** Every level by k-means on what the levels before left of some rows. */
function initialCodebooks(vectors: Vectors, sizes: readonly number[], iterations: number, seed: number): Vectors[] {
  const count = Math.min(vectors.rows, ROWS_A_CODE * largest(sizes));
  const residual = pickRows(vectors, count, new Random(`${seed}/rows`));
  return sizes.map((codes, level) => {
    const init = level === 0 ? 'k-means++' : 'random-groups';
    const { rows, width, data, codes: own } = kmeans(residual, { codes, iterations, init, seed: `${seed}/${level}` });
    subtractCodes(residual, own, { rows, width, data });
    return { rows, width, data };
  });
}

/** Moves every codebook [K, D] by one batch. */
function step(vectors: Vectors, rows: readonly number[], books: readonly tf.Variable[], ema: EmaCodebooks): void {
  const data = new Float32Array(rows.length * vectors.width);
  rows.forEach((row, i) => data.set(rowOf(vectors, row), i * vectors.width));
  tf.tidy(() => {
    let residual = tf.tensor2d(data, [rows.length, vectors.width]);
    books.forEach((book, level) => {
      const before = book as tf.Tensor as tf.Tensor2D;
      const codes = chooseCodes(closenessTo(residual, before), residual, undefined, level);
      const left = tf.sub<tf.Tensor2D>(residual, tf.gather(before, codes));
      ema.update(String(level), codes, residual);
      residual = left;
    });
  });
}

/** @returns how many codes moved */
function resetDead(vectors: Vectors, variables: readonly tf.Variable[], random: Random): number {
  const residual = { ...vectors, data: vectors.data.slice() };
  let moved = 0;
  for (const variable of variables) {
    const book = vectorsOf(variable);
    let codes = nearestCodes(residual, book);
    const here = moveDeadCodes(residual, book, codes, random);
    if (here > 0) {
      tf.tidy(() => variable.assign(tf.tensor2d(book.data, [book.rows, book.width])));
      codes = nearestCodes(residual, book);
    }
    subtractCodes(residual, codes, book);
    moved += here;
  }
  return moved;
}

function vectorsOf(variable: tf.Variable): Vectors {
  const [rows, width] = variable.shape as [number, number];
  return { rows, width, data: variable.dataSync<'float32'>().slice() };
}
