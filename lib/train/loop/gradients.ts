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
 * A batch's loss and its gradient by the weights' names, in bfloat16 where that loses nothing; a weight that no part reaches
 * has none.
 */
export interface BatchGradients {
  loss: number;
  gradients: Map<string, tf.Tensor>;
  /** Tokens that went through the model. */
  tokens: number;
}

/** Computes the parts one after the other and disposes of them. */
export function batchGradients(model: TrainableModel, parts: Iterable<MicroBatch>): BatchGradients {
  const sum = new GradientSum(model);
  for (const part of parts) sum.add(part);
  return sum.take();
}

/** The same; the event loop turns between parts, so that plots draw and interrupts arrive. */
export async function batchGradientsInTurns(
  model: TrainableModel,
  parts: Iterable<MicroBatch>,
): Promise<BatchGradients> {
  const sum = new GradientSum(model);
  for (const part of parts) {
    sum.add(part);
    await new Promise(setImmediate);
  }
  return sum.take();
}

class GradientSum {
  private loss = 0;
  private tokens = 0;
  private sums = new Map<string, tf.Tensor>();

  constructor(private readonly model: TrainableModel) {}

  add(part: MicroBatch): void {
    const weights = trainableWeights(this.model);
    const { value, gradients } = lossAndGradients([...weights.values()], () => part.loss());
    this.loss += value.dataSync()[0]!;
    this.tokens += part.tokens;
    value.dispose();
    part.dispose();
    for (const [name, variable] of weights) {
      const gradient = gradients.get(variable);
      if (!gradient) continue;
      const sum = this.sums.get(name);
      this.sums.set(name, sum ? sumOf(sum, gradient) : gradient);
      if (sum) tf.dispose([gradient, sum]);
    }
  }

  take(): BatchGradients {
    return { loss: this.loss, gradients: this.sums, tokens: this.tokens };
  }
}
