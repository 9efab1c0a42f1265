/**
 * The RQ-VAE as a function: loss and gradients of a batch, and codes and reconstructions without training.
 *
 * Loss (MiniOneRec's `rq/`, after TIGER, arXiv 2305.05065, and LC-Rec): mean squared error of the reconstruction plus
 * `quantLossWeight` times the quantizer's loss (`quantize.ts`). Gradients are written out, parity with PyTorch's
 * is tested.
 *
 * Shapes: B rows, N items, D width, E latent width, K codes of a level, L levels.
 */
import * as tf from '@tensorflow/tfjs';
import type { Vectors } from '../../files/npy.js';
import { type MaskOf, mlpBackward, mlpForward, mlpInfer, type Tensors } from './mlp.js';
import { codebookName, type RqVaeShape } from './parameters.js';
import { type Assignment, quantizeBackward, quantizeForward } from './quantize.js';
import type { ScaledRows } from './scaled-rows.js';

/** What the loss of a batch depends on besides the parameters. */
export interface LossOptions {
  /** Weight of the quantizer's loss. */
  quantLossWeight: number;
  /** Weight of the commitment in it. */
  commitment: number;
  assignment?: Assignment;
  /** A plain autoencoder: the decoder sees the latent itself. Default true. */
  quantize?: boolean;
  /** Dropout; called once a layer, encoder first. */
  maskOf?: MaskOf;
}

/** Of one batch. */
export interface LossAndGradients {
  /** Total, reconstruction, quantizer [3]. */
  losses: tf.Tensor1D;
  /** By the parameters' names. */
  gradients: Map<string, tf.Tensor>;
}

function codebookTensors(shape: RqVaeShape, parameters: Tensors): tf.Tensor2D[] {
  return shape.sizes.map((_, level) => parameters.get(codebookName(level)) as tf.Tensor2D);
}

/** @param x [B, D] @returns tensors that the caller disposes */
export function lossAndGradients(
  shape: RqVaeShape,
  parameters: Tensors,
  x: tf.Tensor2D,
  options: LossOptions,
): LossAndGradients {
  const { quantLossWeight, commitment, assignment, quantize = true, maskOf } = options;
  const gradients = new Map<string, tf.Tensor>();
  const losses = tf.tidy(() => {
    const encoder = mlpForward(shape, 'encoder', parameters, x, maskOf);
    const inner = quantize
      ? quantizeForward(encoder.out, codebookTensors(shape, parameters), commitment, assignment)
      : undefined;
    const loss = inner?.loss ?? tf.scalar(0);
    const decoder = mlpForward(shape, 'decoder', parameters, inner?.quantized ?? encoder.out, maskOf);
    const difference = tf.sub<tf.Tensor2D>(decoder.out, x);
    const reconstruction = tf.mul(tf.sum(tf.square(difference)), 1 / x.size);
    const dOut = tf.mul<tf.Tensor2D>(difference, 2 / x.size);
    const dQuantized = mlpBackward(shape, 'decoder', parameters, decoder.tape, dOut, gradients, true);
    const d = inner && quantizeBackward(inner.tape, dQuantized, shape.sizes, commitment, quantLossWeight);
    mlpBackward(shape, 'encoder', parameters, encoder.tape, d?.latent ?? dQuantized, gradients, false);
    d?.codebooks.forEach((gradient, level) => gradients.set(codebookName(level), gradient));
    for (const gradient of gradients.values()) tf.keep(gradient);
    return tf.stack([tf.add(reconstruction, tf.mul(loss, quantLossWeight)), reconstruction, loss]);
  });
  return { losses: losses as tf.Tensor1D, gradients };
}

/** Latents of all rows [N, E], block by block. */
export function encode(shape: RqVaeShape, parameters: Tensors, rows: ScaledRows): Vectors {
  const width = shape.latent;
  const latents: Vectors = { rows: rows.count, width, data: new Float32Array(rows.count * width) };
  rows.forEachBlock((x, first) => {
    const z = mlpInfer(shape, 'encoder', parameters, x);
    latents.data.set(z.dataSync<'float32'>(), first * width);
    z.dispose();
  });
  return latents;
}

/** What a model makes of all items, without dropout and with the nearest codes. */
export interface Evaluation {
  /** Mean squared error of the reconstruction. */
  mse: number;
  /** [N][L], nearest codes */
  codes: number[][];
}

/** What else is wanted of an evaluation. */
export interface EvaluateOptions {
  /** Filled with the latents of all rows [N, E], which are computed anyway. */
  latents?: Vectors;
  /** Rows at once. Default as `ScaledRows.forEachBlock`'s. */
  block?: number;
}

/** Codes of all rows and the error of what the decoder makes of them, block by block. */
export function evaluate(
  shape: RqVaeShape,
  parameters: Tensors,
  rows: ScaledRows,
  { latents, block }: EvaluateOptions = {},
): Evaluation {
  const codes: number[][] = [];
  let error = 0; // the blocks' means, weighed by their rows
  rows.forEachBlock((x, first) => {
    const [mean, z, ...levels] = tf.tidy(() => {
      const z = mlpInfer(shape, 'encoder', parameters, x);
      const { quantized, tape } = quantizeForward(z, codebookTensors(shape, parameters), 0);
      const out = mlpInfer(shape, 'decoder', parameters, quantized);
      return [tf.mean(tf.squaredDifference(out, x)), z, ...tape.codes];
    });
    const of = levels.map((level) => level.dataSync<'int32'>());
    for (let i = 0; i < x.shape[0]; i++) codes.push(of.map((level) => level[i]!));
    error += mean!.dataSync()[0]! * (x.shape[0] / rows.count);
    latents?.data.set(z!.dataSync<'float32'>(), first * latents.width);
    tf.dispose([mean!, z!, ...levels]);
  }, block);
  return { mse: error, codes };
}
