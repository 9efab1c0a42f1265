/**
 * How a gradient passes a choice of codes: the ways beside the plain straight-through one of `quantize.ts`, and the losses
 * on codes that need the tape.
 *
 * `straight-through` hands the gradient on as it is (van den Oord et al., arXiv 1711.00937). `rotation` turns and scales
 * the residual onto its code and takes the gradient of that (Fifty et al., arXiv 2410.06424): with u = r/|r|, v = c/|c|,
 * w = (u + v)/|u + v| and s = |c|/|r|, all held still, the code is s (r - 2 (r.w) w + 2 (r.u) v). `gumbel` mixes all codes
 * by softmax((-distance + noise) / temperature), Gumbel noise (Jang et al., arXiv 1611.01144), which is what the decoder
 * sees while training; evaluation takes the nearest code.
 *
 * A level's residual is what the level before was given less what it gave on, gradient included, as in LC-Rec's `rq/`.
 *
 * Shapes: B rows, E width of the latent, K codes of a level, L levels.
 */
import * as tf from '@tensorflow/tfjs';
import { oneHot } from '../../ops/basic.js';
import { embedding } from '../../ops/embedding.js';
import type { Estimator } from '../choices.js';
import { type Assignment, chooseCodes, closenessTo } from './quantize.js';

/** Losses on a batch's codes beside the quantizer's own, and how gradients pass. */
export interface CodeTerms {
  estimator: Estimator;
  /** Of `gumbel`: noise [B, K] a level, and the softmax's temperature. */
  gumbel?: { noise: readonly tf.Tensor2D[]; temperature: number };
  /** KL of the mean soft assignment from an even one, mean over levels (MiniOneRec's `rq/`). */
  balance?: { weight: number; temperature: number };
  /** LETTER (arXiv 2405.07314): row i's quantized latent goes to row i of these vectors [B, E], not to another's. */
  collaborative?: { weight: number; vectors: tf.Tensor2D };
  /** LETTER: a code goes to `positives[level][code]`, one of its own cluster, not to the level's others. int32 [K] */
  diversity?: { weight: number; positives: readonly tf.Tensor1D[] };
}

/** A batch through the quantizer, with every term. */
export interface TapedBatch {
  /** [B, E] */
  quantized: tf.Tensor2D;
  /** The quantizer's own loss. */
  loss: tf.Scalar;
  /** Terms that were asked for, in the order balance, collaborative, diversity: weight and value. */
  terms: { name: string; weight: number; value: tf.Scalar }[];
  /** int32 [B] a level */
  codes: tf.Tensor1D[];
  /** What each level was given [B, E]. */
  residuals: tf.Tensor2D[];
}

/** How a batch is quantized. */
export interface QuantizerOptions {
  commitment: number;
  assignment?: Assignment;
  /** Codebooks follow their rows by themselves (`ema-codebooks.ts`): the loss is the commitment's alone. */
  ema?: boolean;
  terms: CodeTerms;
}

/** As it is, with a gradient of zero. */
const heldStill = tf.customGrad((x) => {
  const input = x as tf.Tensor;
  return { value: input.clone(), gradFunc: (dy) => tf.zerosLike(dy as tf.Tensor) };
});
const hold = <T extends tf.Tensor>(x: T): T => heldStill(x) as T;

const mse = (a: tf.Tensor, b: tf.Tensor): tf.Scalar => tf.mean(tf.squaredDifference(a, b));

/** @param z latents [B, E] @param books [K, E] a level */
export function quantizeTaped(
  z: tf.Tensor2D,
  books: readonly tf.Tensor2D[],
  { commitment, assignment, ema = false, terms }: QuantizerOptions,
): TapedBatch {
  const [codes, residuals]: [tf.Tensor1D[], tf.Tensor2D[]] = [[], []];
  const [losses, balances, diversities]: [tf.Scalar[], tf.Scalar[], tf.Scalar[]] = [[], [], []];
  let residual = z;
  let quantized = tf.zerosLike(z);
  books.forEach((book, level) => {
    const closeness = closenessTo(residual, book);
    const code = chooseCodes(closeness, residual, assignment, level);
    const distances = tf.sub<tf.Tensor2D>(tf.sum(tf.square(residual), 1, true), closeness);
    const soft = terms.gumbel && gumbelShares(distances, terms.gumbel, level);
    const row = soft ? tf.matMul<tf.Tensor2D>(soft, book) : (embedding(book, code) as tf.Tensor2D);
    const pulled = tf.mul<tf.Scalar>(mse(hold(row), residual), commitment);
    losses.push(ema ? pulled : tf.add<tf.Scalar>(mse(row, hold(residual)), pulled));
    if (terms.balance) balances.push(imbalance(distances, terms.balance.temperature));
    if (terms.diversity) diversities.push(codesApart(row, book, code, terms.diversity.positives[level]!));
    codes.push(code);
    residuals.push(residual);
    const given = pass(terms.estimator, residual, row);
    quantized = tf.add(quantized, given);
    residual = tf.sub(residual, given);
  });
  const mean = (of: tf.Scalar[]): tf.Scalar => tf.mul(tf.addN(of), 1 / books.length);
  const { balance, collaborative, diversity } = terms;
  const value = collaborative && pairLoss(quantized, collaborative.vectors);
  return {
    ...{ quantized, loss: mean(losses), codes, residuals },
    terms: [
      ...(balance ? [{ name: 'balance', weight: balance.weight, value: mean(balances) }] : []),
      ...(value ? [{ name: 'collaborative', weight: collaborative.weight, value }] : []),
      ...(diversity ? [{ name: 'diversity', weight: diversity.weight, value: mean(diversities) }] : []),
    ],
  };
}

/**
 * @param dQuantized gradient of the quantized latents [B, E]
 * @param weight of the quantizer's loss
 * @returns gradients of the latents [B, E] and, without `ema`, of every codebook [K, E]
 */
export function quantizerGradients(
  z: tf.Tensor2D,
  books: readonly tf.Tensor2D[],
  options: QuantizerOptions,
  dQuantized: tf.Tensor2D,
  weight: number,
): { latent: tf.Tensor2D; codebooks: tf.Tensor2D[] } {
  const objective = (latent: tf.Tensor, ...own: tf.Tensor[]): tf.Scalar => {
    const found = quantizeTaped(latent as tf.Tensor2D, options.ema ? books : (own as tf.Tensor2D[]), options);
    const passed = tf.sum(tf.mul(found.quantized, dQuantized));
    const weighted = found.terms.map((term) => tf.mul(term.value, term.weight));
    return tf.addN<tf.Scalar>([passed, tf.mul(found.loss, weight), ...weighted] as tf.Scalar[]);
  };
  const [latent, ...codebooks] = tf.grads(objective)([z, ...(options.ema ? [] : books)]) as tf.Tensor2D[];
  return { latent: latent!, codebooks };
}

/** What a level gives on [B, E]: the code's row, with the estimator's gradient. */
function pass(estimator: Estimator, residual: tf.Tensor2D, row: tf.Tensor2D): tf.Tensor2D {
  switch (estimator) {
    case 'straight-through':
      return tf.add(residual, hold(tf.sub<tf.Tensor2D>(row, residual)));
    case 'rotation':
      return rotated(residual, row);
    case 'gumbel':
      return row;
    default:
      throw new Error(`rqvae: unknown estimator ${estimator satisfies never}`);
  }
}

/** Lengths below this count as this: a residual of zeros has no direction. */
const SHORTEST = 1e-12;

function rotated(residual: tf.Tensor2D, row: tf.Tensor2D): tf.Tensor2D {
  const length = (x: tf.Tensor): tf.Tensor2D => tf.maximum(tf.norm(x, 2, 1, true), SHORTEST);
  const along = (x: tf.Tensor2D, y: tf.Tensor2D): tf.Tensor2D => tf.sum<tf.Tensor2D>(tf.mul(x, y), 1, true);
  const [from, to] = [hold(residual), hold(row)];
  const [u, v] = [tf.div<tf.Tensor2D>(from, length(from)), tf.div<tf.Tensor2D>(to, length(to))];
  const between = tf.add<tf.Tensor2D>(u, v);
  const w = tf.div<tf.Tensor2D>(between, length(between));
  const scale = tf.div(length(to), length(from));
  const mirrored = tf.mul(tf.mul(along(residual, w), w), 2);
  const turned = tf.mul(tf.mul(along(residual, u), v), 2);
  return tf.mul(tf.add(tf.sub(residual, mirrored), turned), scale);
}

function gumbelShares(
  distances: tf.Tensor2D,
  { noise, temperature }: NonNullable<CodeTerms['gumbel']>,
  level: number,
): tf.Tensor2D {
  return tf.softmax(tf.div<tf.Tensor2D>(tf.sub(noise[level]!, distances), temperature));
}

/** `KL(p || even) = sum p log(p K)`, where p is the mean of softmax(-distance / temperature) over the rows. */
function imbalance(distances: tf.Tensor2D, temperature: number): tf.Scalar {
  const share = tf.maximum(tf.mean(tf.softmax(tf.div(distances, -temperature)), 0), 1e-12); // [K]
  return tf.sum(tf.mul(share, tf.log(tf.mul(share, distances.shape[1]))));
}

/** Cross-entropy of the rows' products, the own one as the label: the mean of -log softmax(q h^T)[i, i]. */
function pairLoss(quantized: tf.Tensor2D, vectors: tf.Tensor2D): tf.Scalar {
  const products = tf.logSoftmax(tf.matMul(quantized, vectors, false, true)); // [B, B]
  return tf.neg(tf.mean<tf.Scalar>(tf.sum(tf.mul(products, tf.eye(products.shape[0])), 1)));
}

/** Cross-entropy of a code's products with the level's codes but itself, its positive as the label. */
function codesApart(row: tf.Tensor2D, book: tf.Tensor2D, code: tf.Tensor1D, positives: tf.Tensor1D): tf.Scalar {
  const count = book.shape[0];
  if (count === 1) return tf.mul(tf.sum<tf.Scalar>(row), 0); // a single code has no other to be near to
  const own = oneHot<tf.Rank.R2>(code, count);
  const products = tf.sub(tf.matMul(row, book, false, true), tf.mul(own, 1e12));
  // a product of both: tf.gather of whole numbers cannot lie on the tape
  const label = tf.matMul(own, oneHot<tf.Rank.R2>(positives, count));
  return tf.neg(tf.mean<tf.Scalar>(tf.sum(tf.mul(tf.logSoftmax(products), label), 1)));
}
