/** A layer's matrix, by its name: what adapters hook into. */
import type * as tf from '@tensorflow/tfjs';
import { linear, linearBfloat16, operand } from '../ops/linear.js';
import { lowRankLinear } from '../ops/low-rank-linear.js';
import { adapterOf } from './lora/adapted-weights.js';
import type { ModelConfig } from './config.js';
import type { Weights } from './weights.js';

/**
 * `x @ weight^T`, and what its adapter adds where it has one: [N, in] and [out, in] -> [N, out].
 * @param name of the matrix, as in the weights
 * @param x an operand of the model's precision
 */
export function layerProduct(
  { precision }: Pick<ModelConfig, 'precision'>,
  weights: Weights,
  name: string,
  x: tf.Tensor2D,
): tf.Tensor2D {
  const weight = weights.get(name)! as tf.Tensor as tf.Tensor2D;
  const adapter = adapterOf(weights, name, x.shape);
  return adapter ? lowRankLinear(x, weight, adapter, precision) : linear(x, weight, precision);
}

/** The same in bfloat16, for an operation that reads it: rounded once, where an adapter is added after that. */
export function layerProductBfloat16(weights: Weights, name: string, x: tf.Tensor2D): tf.Tensor2D {
  if (adapterOf(weights, name, x.shape)) {
    return operand(layerProduct({ precision: 'bfloat16' }, weights, name, x), 'bfloat16');
  }
  return linearBfloat16(x, weights.get(name)! as tf.Tensor as tf.Tensor2D);
}
