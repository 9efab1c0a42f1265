/**
 * AdamW (Loshchilov & Hutter, arXiv 1711.05101), PyTorch's form: decay times the rate, bias-corrected moments.
 */
import * as tf from '@tensorflow/tfjs';
import { hasFused, runFused } from './fused.js';

export interface AdamWOptions {
  /** Default 0.9. */
  beta1?: number;
  /** Default 0.999. */
  beta2?: number;
  /** Default 1e-8. */
  epsilon?: number;
  /** Default 0. */
  weightDecay?: number;
}

/** First and second moment, each of the parameter's shape; nobody else holds their data, which may change in place. */
export interface Moments {
  m: tf.Variable;
  v: tf.Variable;
}

/**
 * One update: moments in place, the new parameter returned.
 * @param step counted from 1
 * @param decays 1 where weight decay acts, 0 elsewhere, of the parameter's shape; default everywhere
 */
export function adamw(
  parameter: tf.Tensor,
  gradient: tf.Tensor,
  { m, v }: Moments,
  step: number,
  rate: number,
  options: AdamWOptions = {},
  decays?: tf.Tensor,
): tf.Tensor {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = options;
  return tf.tidy(() => {
    if (hasFused('SidlabAdamW')) {
      const numbers = [beta1, beta2, epsilon, rate / (1 - beta1 ** step), 1 / Math.sqrt(1 - beta2 ** step)];
      const inputs = [parameter, gradient, m, v, decays ?? tf.tensor1d([1])];
      return runFused('SidlabAdamW', [...inputs, tf.tensor1d([...numbers, rate * weightDecay])])[0]!;
    }
    m.assign(tf.add(tf.mul(m, beta1), tf.mul(gradient, 1 - beta1)));
    v.assign(tf.add(tf.mul(v, beta2), tf.mul(tf.square(gradient), 1 - beta2)));
    const spread = tf.add(tf.mul(tf.sqrt(v), 1 / Math.sqrt(1 - beta2 ** step)), epsilon);
    const move = tf.div(tf.mul(m, rate / (1 - beta1 ** step)), spread);
    if (weightDecay === 0) return tf.sub(parameter, move);
    const shrink = rate * weightDecay;
    const kept = decays ? tf.sub(1, tf.mul(decays, shrink)) : tf.scalar(1 - shrink);
    return tf.sub(tf.mul(parameter, kept), move);
  });
}
