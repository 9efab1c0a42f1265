/** The gradient of an update: that of its parts, added up. */
import * as tf from '@tensorflow/tfjs';
import { trainableWeights, type TrainableModel } from '../../lm/language-model.js';
import { lossAndGradients, sumOf } from '../../ops/tape.js';

/** A share of an update: several of them add up to the batch's gradient, however it is divided. */
export interface MicroBatch {
  /** Called once within the gradient; what it needs was made before. The parts' losses add up to the batch's. */
  loss(): tf.Scalar;
  /** Tokens that went through the model. */
  tokens: number;
  /** Frees its tensors. */
  dispose(): void;
}

/**
 * Computes the parts one after the other and disposes of them.
 * @returns the loss, and its gradient by the weights' names, in bfloat16 where that loses nothing; a weight that no part
 *   reaches has none
 */
export function batchGradients(
  model: TrainableModel,
  parts: readonly MicroBatch[],
): { loss: number; gradients: Map<string, tf.Tensor> } {
  const weights = trainableWeights(model);
  const variables = [...weights.values()];
  let loss = 0;
  let sums = new Map<string, tf.Tensor>();
  for (const part of parts) {
    const { value, gradients } = lossAndGradients(variables, () => part.loss());
    loss += value.dataSync()[0]!;
    value.dispose();
    part.dispose();
    const next = new Map<string, tf.Tensor>();
    for (const [name, variable] of weights) {
      const gradient = gradients.get(variable);
      const sum = sums.get(name);
      if (gradient) next.set(name, sum ? sumOf(sum, gradient) : gradient);
      else if (sum) next.set(name, sum);
      if (gradient && sum) tf.dispose([gradient, sum]);
    }
    sums = next;
  }
  return { loss, gradients: sums };
}
