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
import type { ReconstructionLoss } from '../choices.js';
import { type MaskOf, mlpBackward, mlpForward, mlpInfer, type Tensors } from './mlp.js';
import { codebookName, type RqVaeShape } from './parameters.js';
import { type CodeTerms, quantizerGradients, quantizeTaped } from './estimators.js';
import { type Assignment, quantizeBackward, quantizeForward } from './quantize.js';
import type { ScaledRows } from './scaled-rows.js';

/** What the loss of a batch depends on besides the parameters. */
export interface LossOptions {
  /** Default mse. */
  reconstructionLoss?: ReconstructionLoss;
  /** Weight of the quantizer's loss. */
  quantLossWeight: number;
  /** Weight of the commitment in it. */
  commitment: number;
  assignment?: Assignment;
  /** A plain autoencoder: the decoder sees the latent itself. Default true. */
  quantize?: boolean;
  /** Codebooks get no gradient and no loss; `levels` says what they are to follow. Default false. */
  ema?: boolean;
  /** Another estimator than straight-through, or losses on codes; their gradients come from the tape. */
  terms?: CodeTerms;
  /** Dropout; called once a layer, encoder first. */
  maskOf?: MaskOf;
}

/** Of one batch. */
export interface LossAndGradients {
  /** Total, reconstruction, quantizer, and the terms in their order [3 + terms]. */
  losses: tf.Tensor1D;
  /** The terms' names. */
  terms: string[];
  /** By the parameters' names. */
  gradients: Map<string, tf.Tensor>;
  /** With `ema`: what each level was given [B, E], and the codes that it chose, int32 [B]. */
  levels: { codes: tf.Tensor1D; residuals: tf.Tensor2D }[];
}

function codebookTensors(shape: RqVaeShape, parameters: Tensors): tf.Tensor2D[] {
  return shape.sizes.map((_, level) => parameters.get(codebookName(level)) as tf.Tensor2D);
}

/** What a quantizer gives the decoder, and how the gradient comes back. */
interface Quantizer {
  quantized: tf.Tensor2D;
  loss: tf.Scalar;
  terms: { name: string; weight: number; value: tf.Scalar }[];
  levels: { codes: tf.Tensor1D; residuals: tf.Tensor2D }[];
  backward(dQuantized: tf.Tensor2D): { latent: tf.Tensor2D; codebooks: tf.Tensor2D[] };
}

function quantizer(shape: RqVaeShape, parameters: Tensors, z: tf.Tensor2D, options: LossOptions): Quantizer {
  const { quantLossWeight, commitment, assignment, ema = false, terms } = options;
  const books = codebookTensors(shape, parameters);
  if (terms) {
    const given = { commitment, ema, terms, ...(assignment && { assignment }) };
    const { quantized, loss, terms: own, codes, residuals } = quantizeTaped(z, books, given);
    return {
      ...{ quantized, loss, terms: own },
      levels: codes.map((code, level) => ({ codes: code, residuals: residuals[level]! })),
      backward: (dQuantized) => quantizerGradients(z, books, given, dQuantized, quantLossWeight),
    };
  }
  const { quantized, loss, tape } = quantizeForward(z, books, commitment, assignment, ema);
  return {
    ...{ quantized, loss, terms: [] },
    levels: ema
      ? tape.codes.map((codes, level) => ({
          codes,
          residuals: tf.sub<tf.Tensor2D>(tf.gather(books[level]!, codes), tape.differences[level]!),
        }))
      : [],
    backward: (dQuantized) => {
      const found = quantizeBackward(tape, dQuantized, shape.sizes, commitment, quantLossWeight);
      return ema ? { ...found, codebooks: [] } : found;
    },
  };
}

/** @param x [B, D] @returns tensors that the caller disposes */
export function lossAndGradients(
  shape: RqVaeShape,
  parameters: Tensors,
  x: tf.Tensor2D,
  options: LossOptions,
): LossAndGradients {
  const { quantLossWeight, quantize = true, ema = false, reconstructionLoss = 'mse', maskOf } = options;
  const gradients = new Map<string, tf.Tensor>();
  let levels: LossAndGradients['levels'] = [];
  let terms: string[] = [];
  const losses = tf.tidy(() => {
    const encoder = mlpForward(shape, 'encoder', parameters, x, maskOf);
    const inner = quantize ? quantizer(shape, parameters, encoder.out, options) : undefined;
    const loss = inner?.loss ?? tf.scalar(0);
    const decoder = mlpForward(shape, 'decoder', parameters, inner?.quantized ?? encoder.out, maskOf);
    const { value: reconstruction, gradient } = reconstructionOf(decoder.out, x, reconstructionLoss);
    const dQuantized = mlpBackward(shape, 'decoder', parameters, decoder.tape, gradient, gradients, true);
    const d = inner?.backward(dQuantized);
    mlpBackward(shape, 'encoder', parameters, encoder.tape, d?.latent ?? dQuantized, gradients, false);
    d?.codebooks.forEach((own, level) => gradients.set(codebookName(level), own));
    for (const own of gradients.values()) tf.keep(own);
    levels = ema ? (inner?.levels ?? []) : [];
    for (const { codes, residuals } of levels) [codes, residuals].forEach((t) => tf.keep(t));
    const extra = inner?.terms ?? [];
    terms = extra.map(({ name }) => name);
    const parts = [reconstruction, tf.mul(loss, quantLossWeight), ...extra.map((t) => tf.mul(t.value, t.weight))];
    return tf.stack([tf.addN(parts), reconstruction, loss, ...extra.map(({ value }) => value)]);
  });
  return { losses: losses as tf.Tensor1D, terms, gradients, levels };
}

/** The mean over rows and columns, and its gradient [B, D]. */
function reconstructionOf(
  out: tf.Tensor2D,
  x: tf.Tensor2D,
  loss: ReconstructionLoss,
): { value: tf.Tensor; gradient: tf.Tensor2D } {
  const difference = tf.sub<tf.Tensor2D>(out, x);
  switch (loss) {
    case 'mse':
      return {
        value: tf.mul(tf.sum(tf.square(difference)), 1 / x.size),
        gradient: tf.mul<tf.Tensor2D>(difference, 2 / x.size),
      };
    case 'l1':
      return {
        value: tf.mul(tf.sum(tf.abs(difference)), 1 / x.size),
        gradient: tf.mul<tf.Tensor2D>(tf.sign(difference), 1 / x.size),
      };
    default:
      throw new Error(`rqvae: unknown loss ${loss satisfies never}`);
  }
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
