/**
 * Numbers in bfloat16 (8 bits of exponent as float32, 8 of precision), and products of them.
 *
 * Where the engine has the type, such a tensor takes two bytes a number and only the functions here can read it. The
 * plain implementation keeps float32 tensors whose numbers are rounded to bfloat16: slow, and the oracle of the other.
 */
import * as tf from '@tensorflow/tfjs';
import { bfloat16ToFloat32, float32ToBfloat16 } from '../files/half-floats.js';
import { hasFused } from './fused.js';

/** Whether the engine that runs computes in bfloat16, and does not only round to it. */
export function hasBfloat16(): boolean {
  return hasFused('SidlabMatMulBfloat16');
}

/** Whether a tensor is in bfloat16's two bytes. */
export function isBfloat16(x: tf.Tensor): boolean {
  return (x.dtype as string) === 'string';
}

/** Each number rounded to the nearest of bfloat16, ties to even. @param x float32 of any shape */
export function toBfloat16<R extends tf.Rank>(x: tf.Tensor<R>): tf.Tensor<R> {
  if (isBfloat16(x)) return x.clone();
  return hasBfloat16() ? runKernel<R>('SidlabToBfloat16', [x]) : rounded(x);
}

/** The same numbers in float32. */
export function fromBfloat16<R extends tf.Rank>(x: tf.Tensor<R>): tf.Tensor<R> {
  return isBfloat16(x) ? runKernel<R>('SidlabFromBfloat16', [x]) : x.clone();
}

/**
 * A product of bfloat16 matrices, summed in float32 and rounded to bfloat16 at the end.
 * @param a [m, k], transposed [k, m] @param b [k, n], transposed [n, k] @returns [m, n], bfloat16
 */
export function matMulBfloat16(a: tf.Tensor2D, b: tf.Tensor2D, transposeA = false, transposeB = false): tf.Tensor2D {
  if (hasBfloat16()) return runKernel<tf.Rank.R2>('SidlabMatMulBfloat16', [a, b], { transposeA, transposeB });
  return tf.tidy(() => rounded(tf.matMul(a, b, transposeA, transposeB) as tf.Tensor2D));
}

/** Rows of a bfloat16 table. @param table [V, D] @param ids int32 [N] @returns [N, D], bfloat16 */
export function gatherBfloat16(table: tf.Tensor2D, ids: tf.Tensor1D): tf.Tensor2D {
  return hasBfloat16() ? runKernel<tf.Rank.R2>('SidlabGatherBfloat16', [table, ids]) : tf.gather(table, ids);
}

function runKernel<R extends tf.Rank>(
  name: string,
  inputs: readonly tf.Tensor[],
  attributes: Record<string, boolean> = {},
): tf.Tensor<R> {
  const named = Object.fromEntries(inputs.map((input, i) => [`input${i}`, input]));
  return tf.engine().runKernel(name, named, attributes) as tf.Tensor as tf.Tensor<R>;
}

function rounded<R extends tf.Rank>(x: tf.Tensor<R>): tf.Tensor<R> {
  return tf.tensor(roundToBfloat16(x.dataSync<'float32'>()), x.shape) as tf.Tensor<R>;
}

/** Float32 numbers rounded to the nearest of bfloat16, ties to even; NaN stays NaN. */
export function roundToBfloat16(values: Float32Array): Float32Array {
  return bfloat16ToFloat32(float32ToBfloat16(values));
}
