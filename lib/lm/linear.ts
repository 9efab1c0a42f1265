/** A layer's matrix, by its name: what adapters hook into. */
import * as tf from '@tensorflow/tfjs';
import type { Weights } from './weights.js';

/** `x @ weight^T`: [N, in] and [out, in] -> [N, out]. @param name of the matrix, as in the weights */
export function linear(weights: Weights, name: string, x: tf.Tensor2D): tf.Tensor2D {
  return tf.matMul(x, weights.get(name)! as unknown as tf.Tensor2D, false, true);
}
