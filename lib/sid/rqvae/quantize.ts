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
  /** Mean over levels of (1 + commitment) times the mean squared difference. */
  loss: tf.Scalar;
  /** For the gradient. */
  tape: QuantizeTape;
}

/** @param z latents [B, E] @param codebooks one a level [K, E] */
export function quantizeForward(
  z: tf.Tensor2D,
  codebooks: readonly tf.Tensor2D[],
  commitment: number,
  assignment?: Assignment,
): QuantizedBatch {
  const codes: tf.Tensor1D[] = [];
  const differences: tf.Tensor2D[] = [];
  const errors: tf.Tensor[] = [];
  let residual = z;
  codebooks.forEach((codebook, level) => {
    const epsilon = assignment?.epsilons[level] ?? 0;
    const closeness = closenessTo(residual, codebook);
    const code =
      epsilon > 0 ? balancedCodes(closeness, residual, epsilon, assignment!.iterations) : tf.argMax(closeness, 1);
    const row = tf.gather(codebook, code as tf.Tensor1D);
    const difference = tf.sub<tf.Tensor2D>(row, residual);
    codes.push(code as tf.Tensor1D);
    differences.push(difference);
    errors.push(tf.sum(tf.square(difference)));
    residual = tf.neg(difference);
  });
  const loss = tf.mul<tf.Scalar>(tf.addN(errors), (1 + commitment) / (z.size * codebooks.length));
  return { quantized: tf.sub(z, residual), loss, tape: { codes, differences } };
}

/** `2 r.c - |c|^2`, which is largest for the nearest code; ties go to the lower one. [B, K] */
function closenessTo(residual: tf.Tensor2D, codebook: tf.Tensor2D): tf.Tensor2D {
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
