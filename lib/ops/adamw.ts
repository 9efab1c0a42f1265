/**
 * AdamW (Loshchilov & Hutter, arXiv 1711.05101), PyTorch's form: decay times the rate, bias-corrected moments.
 */
import * as tf from '@tensorflow/tfjs';

export interface AdamWOptions {
  /** Default 0.9. */
  beta1?: number;
  /** Default 0.999. */
  beta2?: number;
  /** Default 1e-8. */
  epsilon?: number;
  /** Taken off matrices alone, not off norms and biases. Default 0. */
  weightDecay?: number;
}

/** First and second moment of a parameter. */
export interface Moments {
  m: tf.Variable;
  v: tf.Variable;
}

/**
 * One update of one parameter, in place.
 * @param step counted from 1
 * @param scale factor on the gradient (clipping)
 */
export function adamw(
  parameter: tf.Variable,
  gradient: tf.Tensor,
  { m, v }: Moments,
  step: number,
  rate: number,
  scale: number,
  options: AdamWOptions = {},
): void {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = options;
  tf.tidy(() => {
    const g = scale === 1 ? gradient : tf.mul(gradient, scale);
    m.assign(tf.add(tf.mul(m, beta1), tf.mul(g, 1 - beta1)));
    v.assign(tf.add(tf.mul(v, beta2), tf.mul(tf.square(g), 1 - beta2)));
    const spread = tf.add(tf.mul(tf.sqrt(v), 1 / Math.sqrt(1 - beta2 ** step)), epsilon);
    const move = tf.div(tf.mul(m, rate / (1 - beta1 ** step)), spread);
    const decay = parameter.rank > 1 ? 1 - rate * weightDecay : 1;
    parameter.assign(tf.sub(decay === 1 ? parameter : tf.mul(parameter, decay), move));
  });
}
