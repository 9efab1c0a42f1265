/** A layer's matrix, by its name: what adapters hook into. */
import type * as tf from '@tensorflow/tfjs';
import { product } from '../ops/basic.js';
import { lowRankLinear } from '../ops/low-rank-linear.js';
import { adapterOf } from './lora/adapted-weights.js';
import type { Weights } from './weights.js';

/**
 * `x @ weight^T`, and what its adapter adds where it has one: [N, in] and [out, in] -> [N, out].
 * @param name of the matrix, as in the weights
 */
export function linear(weights: Weights, name: string, x: tf.Tensor2D): tf.Tensor2D {
  const weight = weights.get(name)! as tf.Tensor as tf.Tensor2D;
  const adapter = adapterOf(weights, name, x.shape);
  return adapter ? lowRankLinear(x, weight, adapter) : product(x, weight);
}
