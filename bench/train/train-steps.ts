/** Training steps as the library's loop makes them, without validation and checkpoints. */
import * as tf from '@tensorflow/tfjs';
import { chain } from 'sidlab';
import { trainableWeights } from 'sidlab/lm';
import { batchGradients, forestLoss, forestLogProbs, Optimizer } from 'sidlab/train';
import type { LanguageModel } from 'sidlab';
import type { Example } from 'sidlab/tasks';
import type { MicroBatch } from 'sidlab/train';

export interface StepOptions {
  rate: number;
  weightDecay: number;
  clip: number;
  /** Tokens through the model at once; the gradient is the same. */
  tokenBudget: number;
}

export interface Step {
  seconds: number;
  loss: number;
  tokens: number;
}

/** @param batches an update each */
export async function trainSteps(
  model: LanguageModel,
  batches: readonly Example[][],
  options: StepOptions,
): Promise<Step[]> {
  const { weightDecay, clip } = options;
  const optimizer = new Optimizer(trainableWeights(model), { weightDecay, maxGradNorm: clip });
  const steps: Step[] = [];
  for (const [i, batch] of batches.entries()) {
    const start = performance.now();
    const parts = partsOf(model, batch, options.tokenBudget);
    const tokens = parts.reduce((sum, part) => sum + part.tokens, 0);
    const { loss, gradients } = batchGradients(model, parts);
    optimizer.apply(gradients, i + 1, options.rate);
    tf.dispose([...gradients.values()]);
    await new Promise(setImmediate);
    steps.push({ seconds: (performance.now() - start) / 1000, loss, tokens });
  }
  optimizer.dispose();
  return steps;
}

function partsOf(model: LanguageModel, batch: readonly Example[], budget: number): MicroBatch[] {
  const targets = batch.reduce((sum, { labels }) => sum + labels.length, 0);
  const cuts: Example[][] = [];
  let used = Infinity;
  for (const example of batch) {
    if (used + example.tokens.length > budget) {
      cuts.push([]);
      used = 0;
    }
    cuts.at(-1)!.push(example);
    used += example.tokens.length;
  }
  return cuts.map((examples) => {
    const pairs = examples.flatMap(({ labelPositions, labels }, tree) =>
      labelPositions.map((node, i) => ({ tree, node, token: labels[i]! })),
    );
    const scorer = forestLogProbs(
      model.config,
      examples.map(({ tokens }) => chain(tokens)),
      pairs,
    );
    return forestLoss(model, scorer, (logProbs) => tf.mul(tf.sum(logProbs), -1 / targets));
  });
}
