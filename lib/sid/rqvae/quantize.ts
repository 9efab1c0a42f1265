/**
 * Residual quantization on the engine, with the losses and gradients of the reference's `rq/` (van den Oord et al.,
 * arXiv 1711.00937; Zeghidour et al., arXiv 2107.03312).
 *
 * The loss of a level is `mse(code, residual held still) + commitment * mse(code held still, residual)`, the loss of
 * the quantizer the mean over levels. What the next level sees is `residual - (residual + (code - residual) held
 * still)`, whose gradient is zero: so the commitment of the first level alone reaches the encoder, and a codebook
 * is trained by its own level alone. The reference has it so; here it is written out instead of a consequence of the tape.
 *
 * Shapes: B rows, E width of the latent, K codes of a level, L levels.
 */
import * as tf from '@tensorflow/tfjs';
import { sumRows } from '../../ops/embedding.js';
import { balancedCodes } from './sinkhorn.js';

/** How rows get their codes while training: the nearest, or by Sinkhorn where the level's epsilon is above 0. */
export interface Assignment {
  /** One a level [L]. */
  epsilons: readonly number[];
  /** Iterations of Sinkhorn. */
  iterations: number;
}

/** What the gradient of a quantization needs. B rows, E latent width. */
export interface QuantizeTape {
  /** Codes a level, int32 [B]. */
  codes: tf.Tensor1D[];
  /** Code minus residual, a level [B, E]. */
  differences: tf.Tensor2D[];
}

/** A quantized batch and the quantizer's loss. */
export interface QuantizedBatch {
  /** Sum of the codes [B, E]. */
  quantized: tf.Tensor2D;
  /** Mean over levels of (1 + commitment) times the mean squared difference; with `ema` of commitment times it. */
  loss: tf.Scalar;
  /** For the gradient. */
  tape: QuantizeTape;
}

/** @param z latents [B, E] @param codebooks one a level [K, E] @param ema the loss is the commitment's alone */
export function quantizeForward(
  z: tf.Tensor2D,
  codebooks: readonly tf.Tensor2D[],
  commitment: number,
  assignment?: Assignment,
  ema = false,
): QuantizedBatch {
  const codes: tf.Tensor1D[] = [];
  const differences: tf.Tensor2D[] = [];
  const errors: tf.Tensor[] = [];
  let residual = z;
  codebooks.forEach((codebook, level) => {
    const code = chooseCodes(closenessTo(residual, codebook), residual, assignment, level);
    const row = tf.gather(codebook, code);
    const difference = tf.sub<tf.Tensor2D>(row, residual);
    codes.push(code);
    differences.push(difference);
    errors.push(tf.sum(tf.square(difference)));
    residual = tf.neg(difference);
  });
  const loss = tf.mul<tf.Scalar>(tf.addN(errors), ((ema ? 0 : 1) + commitment) / (z.size * codebooks.length));
  return { quantized: tf.sub(z, residual), loss, tape: { codes, differences } };
}

/** The nearest code of each row, or Sinkhorn's where the level has an epsilon. @returns int32 [B] */
export function chooseCodes(
  closeness: tf.Tensor2D,
  residual: tf.Tensor2D,
  assignment: Assignment | undefined,
  level: number,
): tf.Tensor1D {
  const epsilon = assignment?.epsilons[level] ?? 0;
  if (epsilon > 0) return balancedCodes(closeness, residual, epsilon, assignment!.iterations);
  return tf.argMax(closeness, 1);
}

/** `2 r.c - |c|^2`, which is largest for the nearest code; ties go to the lower one. [B, K] */
export function closenessTo(residual: tf.Tensor2D, codebook: tf.Tensor2D): tf.Tensor2D {
  return tf.sub(tf.mul(tf.matMul(residual, codebook, false, true), 2), tf.sum(tf.square(codebook), 1));
}

/**
 * @param dQuantized gradient of the sum of codes [B, E]; it passes straight through to the latent
 * @param weight of the quantizer's loss in the whole
 * @returns gradients of the latent [B, E] and of each codebook [K, E]
 */
export function quantizeBackward(
  { codes, differences }: QuantizeTape,
  dQuantized: tf.Tensor2D,
  sizes: readonly number[],
  commitment: number,
  weight: number,
): { latent: tf.Tensor2D; codebooks: tf.Tensor2D[] } {
  const scale = (2 * weight) / (dQuantized.size * sizes.length);
  return {
    latent: tf.sub(dQuantized, tf.mul(differences[0]!, commitment * scale)),
    codebooks: differences.map((difference, level) =>
      sumRows(tf.mul(difference, scale), codes[level]!, sizes[level]!),
    ) as tf.Tensor2D[],
  };
}
