/**
 * Batch normalisation (Ioffe & Szegedy, arXiv 1502.03167) in PyTorch's form: the biased variance normalises, running
 * statistics move by a tenth a step, the unbiased variance into the running one.
 *
 * Shapes: B rows, O width.
 */
import * as tf from '@tensorflow/tfjs';

const EPSILON = 1e-5;
const MOMENTUM = 0.1;

type Tensors = ReadonlyMap<string, tf.Tensor>;

/** What the gradient of a batch normalisation needs. B rows, O outputs. */
export interface NormTape {
  /** [B, O] */
  normal: tf.Tensor2D;
  /** 1 / standard deviation [O]. */
  inverse: tf.Tensor1D;
}

/** Normalises by the batch and moves the running statistics, which are variables among `parameters`. @param x [B, O] */
export function batchNormForward(
  name: string,
  parameters: Tensors,
  x: tf.Tensor2D,
): { out: tf.Tensor2D; tape: NormTape } {
  const rows = x.shape[0];
  const mean = tf.mean<tf.Tensor1D>(x, 0);
  const centred = tf.sub<tf.Tensor2D>(x, mean);
  const variance = tf.mean<tf.Tensor1D>(tf.square(centred), 0);
  const inverse = tf.rsqrt(tf.add<tf.Tensor1D>(variance, EPSILON));
  const normal = tf.mul<tf.Tensor2D>(centred, inverse);
  move(parameters.get(`${name}.running_mean`), mean);
  move(parameters.get(`${name}.running_var`), tf.mul(variance, rows / Math.max(1, rows - 1)));
  return { out: scaleAndShift(name, parameters, normal), tape: { normal, inverse } };
}

/** Batch normalisation with the running mean and variance. @param x [B, O] @returns [B, O] */
export function batchNormInfer(name: string, parameters: Tensors, x: tf.Tensor2D): tf.Tensor2D {
  const [mean, variance] = [parameters.get(`${name}.running_mean`)!, parameters.get(`${name}.running_var`)!];
  return scaleAndShift(name, parameters, tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, EPSILON))));
}

/** @param dy [B, O] @returns gradient of the input [B, O] */
export function batchNormBackward(
  name: string,
  parameters: Tensors,
  { normal, inverse }: NormTape,
  dy: tf.Tensor2D,
  gradients: Map<string, tf.Tensor>,
): tf.Tensor2D {
  const rows = dy.shape[0];
  const along = tf.sum(tf.mul(dy, normal), 0); // [O]
  const total = tf.sum(dy, 0); // [O]
  gradients.set(`${name}.weight`, along);
  gradients.set(`${name}.bias`, total);
  const inner = tf.sub(tf.sub(dy, tf.div(total, rows)), tf.mul(normal, tf.div(along, rows)));
  return tf.mul(inner, tf.mul(inverse, parameters.get(`${name}.weight`)!));
}

function scaleAndShift(name: string, parameters: Tensors, normal: tf.Tensor): tf.Tensor2D {
  return tf.add(tf.mul(normal, parameters.get(`${name}.weight`)!), parameters.get(`${name}.bias`)!);
}

function move(running: tf.Tensor | undefined, now: tf.Tensor): void {
  if (running instanceof tf.Variable) running.assign(tf.add(tf.mul(running, 1 - MOMENTUM), tf.mul(now, MOMENTUM)));
}
