/**
 * The multilayer perceptrons of the RQ-VAE, forward and backward written out: as few kernels as the mathematics
 * takes, no tape, no clone.
 *
 * A layer is dropout, linear, batch normalisation (where asked for), ReLU; the last one is dropout and linear alone.
 *
 * Shapes: B rows, I and O widths of a layer.
 */
import * as tf from '@tensorflow/tfjs';
import { batchNormBackward, batchNormForward, batchNormInfer, type NormTape } from './batch-norm.js';
import { linearName, normName, type Part, type RqVaeShape } from './parameters.js';

/** Parameters by name. */
export type Tensors = ReadonlyMap<string, tf.Tensor>;

/** Zeroes a share of the entries: a mask of its argument's shape, 0 or 1 / (1 - rate). */
export type MaskOf = (shape: [number, number]) => tf.Tensor2D;

interface LayerTape {
  /** What the linear map saw [B, I]. */
  input: tf.Tensor2D;
  /** After the activation [B, O]. */
  output: tf.Tensor2D;
  mask?: tf.Tensor2D;
  norm?: NormTape;
}

/** What the gradient of a multi-layer perceptron needs, layer by layer. */
export interface MlpTape {
  /** From the first to the last. */
  layers: LayerTape[];
}

/** @param x [B, I] @param maskOf dropout, while training @returns [B, O] and what the gradient needs */
export function mlpForward(
  shape: RqVaeShape,
  part: Part,
  parameters: Tensors,
  x: tf.Tensor2D,
  maskOf?: MaskOf,
): { out: tf.Tensor2D; tape: MlpTape } {
  const layers: LayerTape[] = [];
  const count = shape.hidden.length + 1;
  let h = x;
  for (let i = 0; i < count; i++) {
    const mask = maskOf?.(h.shape);
    const input = mask ? tf.mul<tf.Tensor2D>(h, mask) : h;
    const linear = affine(shape, part, parameters, input, i);
    const norm = shape.batchNorm && i + 1 < count ? batchNormForward(normName(part, i), parameters, linear) : undefined;
    h = i + 1 < count ? tf.relu(norm?.out ?? linear) : linear;
    layers.push({ input, output: h, ...(mask && { mask }), ...(norm && { norm: norm.tape }) });
  }
  return { out: shape.residual ? tf.add(h, x) : h, tape: { layers } };
}

/** Without dropout, with the running statistics of batch normalisation. `parameters` holds the buffers too. */
export function mlpInfer(shape: RqVaeShape, part: Part, parameters: Tensors, x: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => {
    const count = shape.hidden.length + 1;
    let h = x;
    for (let i = 0; i < count; i++) {
      const linear = affine(shape, part, parameters, h, i);
      const last = i + 1 === count;
      const normal = shape.batchNorm && !last ? batchNormInfer(normName(part, i), parameters, linear) : linear;
      h = last ? normal : tf.relu(normal);
    }
    return shape.residual ? tf.add(h, x) : h;
  });
}

/**
 * @param dy gradient of the output [B, O]
 * @param gradients gets the parameters' gradients under their names
 * @param toInput whether the gradient of the input is asked for; it is what the product of the first layer costs
 * @returns gradient of the input [B, I], `dy` itself where it is not asked for
 */
export function mlpBackward(
  shape: RqVaeShape,
  part: Part,
  parameters: Tensors,
  tape: MlpTape,
  dy: tf.Tensor2D,
  gradients: Map<string, tf.Tensor>,
  toInput: boolean,
): tf.Tensor2D {
  let d = dy;
  for (let i = tape.layers.length - 1; i >= 0; i--) {
    const { input, output, mask, norm } = tape.layers[i]!;
    if (i + 1 < tape.layers.length) d = tf.mul(d, tf.sign(output)); // a ReLU's output is not negative: its sign is its slope
    if (norm) d = batchNormBackward(normName(part, i), parameters, norm, d, gradients);
    const name = linearName(shape, part, i);
    gradients.set(`${name}.weight`, tf.matMul(d, input, true)); // [O, I]
    gradients.set(`${name}.bias`, tf.sum(d, 0));
    if (i === 0 && !toInput) return dy;
    d = tf.matMul(d, parameters.get(`${name}.weight`) as tf.Tensor2D);
    if (mask) d = tf.mul(d, mask);
  }
  return shape.residual ? tf.add(d, dy) : d;
}

function affine(shape: RqVaeShape, part: Part, parameters: Tensors, x: tf.Tensor2D, i: number): tf.Tensor2D {
  const name = linearName(shape, part, i);
  const product = tf.matMul(x, parameters.get(`${name}.weight`) as tf.Tensor2D, false, true);
  return tf.add(product, parameters.get(`${name}.bias`)!);
}
