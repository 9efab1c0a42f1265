/**
 * AdamW (Loshchilov & Hutter, arXiv 1711.05101), PyTorch's form: decay times the rate, bias-corrected moments.
 */
import * as tf from '@tensorflow/tfjs';
import { fromBfloat16, isBfloat16, toBfloat16 } from './bfloat16.js';
import { givenUp, hasFused, runFused } from './fused.js';

/** Options of an AdamW update. */
export interface AdamWOptions {
  /** Default 0.9. */
  beta1?: number;
  /** Default 0.999. */
  beta2?: number;
  /** Default 1e-8. */
  epsilon?: number;
  /** Default 0. */
  weightDecay?: number;
  /** The gradient is multiplied with it first. Default 1. */
  gradientScale?: number;
}

/** A parameter's copy in bfloat16, if there is one. */
export interface HalfCopy {
  /** Kept. */
  half: tf.Tensor | undefined;
}

/** First and second moment, each of the parameter's shape. */
export interface Moments {
  /** Running mean of the gradient, zeros at the start. */
  m: tf.Variable;
  /** Running mean of the squared gradient, zeros at the start. */
  v: tf.Variable;
}

/**
 * One update. Assigns the new moments, in the memory of the old ones where nothing else looks at it.
 * @param parameter given up: the new one is written into its memory where nothing else looks at it
 * @param gradient float32 or bfloat16
 * @param step counted from 1
 * @param rate the learning rate
 * @param decays 1 where weight decay acts, 0 elsewhere, of the parameter's shape; default everywhere
 * @param copy the parameter in bfloat16: becomes that of the new one, or goes where the plain implementation computes
 * @returns the new parameter
 */
export function adamw(
  parameter: tf.Tensor,
  gradient: tf.Tensor,
  { m, v }: Moments,
  step: number,
  rate: number,
  options: AdamWOptions = {},
  decays?: tf.Tensor,
  copy?: HalfCopy,
): tf.Tensor {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0, gradientScale = 1 } = options;
  return tf.tidy(() => {
    if (hasFused('SidlabAdamW')) {
      const numbers = [beta1, beta2, epsilon, rate / (1 - beta1 ** step), 1 / Math.sqrt(1 - beta2 ** step)];
      const half = copy?.half ?? noHalf();
      const name = isBfloat16(gradient) ? 'SidlabAdamWBfloat16' : 'SidlabAdamW';
      const [next, nextM, nextV, nextHalf] = runFused(name, [
        ...[parameter, gradient, m, v, decays ?? tf.tensor1d([1])],
        ...[tf.tensor1d([...numbers, rate * weightDecay, gradientScale]), half, givenUp(parameter, m, v, half)],
      ]);
      m.assign(nextM!);
      v.assign(nextV!);
      if (copy) {
        copy.half?.dispose();
        copy.half = copy.half && tf.keep(nextHalf!);
      }
      return next!;
    }
    copy?.half?.dispose();
    if (copy) copy.half = undefined;
    const floats = fromBfloat16(gradient);
    const scaled = gradientScale === 1 ? floats : tf.mul(floats, gradientScale);
    m.assign(tf.add(tf.mul(m, beta1), tf.mul(scaled, 1 - beta1)));
    v.assign(tf.add(tf.mul(v, beta2), tf.mul(tf.square(scaled), 1 - beta2)));
    const spread = tf.add(tf.mul(tf.sqrt(v), 1 / Math.sqrt(1 - beta2 ** step)), epsilon);
    const move = tf.div(tf.mul(m, rate / (1 - beta1 ** step)), spread);
    if (weightDecay === 0) return tf.sub(parameter, move);
    const shrink = rate * weightDecay;
    const kept = decays ? tf.sub(1, tf.mul(decays, shrink)) : tf.scalar(1 - shrink);
    return tf.sub(tf.mul(parameter, kept), move);
  });
}

/** In place of a copy that there is not. */
function noHalf(): tf.Tensor {
  return toBfloat16(tf.tensor1d([]));
}

/** The sum of the squares of all numbers, [1]. @param x float32 or bfloat16 */
export function squareSum(x: tf.Tensor): tf.Tensor1D {
  const name = isBfloat16(x) ? 'SidlabSquareSumBfloat16' : 'SidlabSquareSum';
  if (hasFused(name)) return runFused(name, [x])[0] as tf.Tensor1D;
  return tf.tidy(() => tf.reshape(tf.sum(tf.square(fromBfloat16(x))), [1]));
}
