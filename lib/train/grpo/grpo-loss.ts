/** The loss of GRPO over groups of completions that share their prompt. */
import * as tf from '@tensorflow/tfjs';
import type { ForwardOptions } from '../../lm/decoder.js';
import { prefixTree } from '../../lm/forest.js';
import type { LanguageModel } from '../../lm/language-model.js';
import { forestLoss, forestLogProbs, type TreeTarget } from '../loop/forest-loss.js';
import type { MicroBatch } from '../loop/loop.js';
import { groupAdvantages } from './advantages.js';

/** The completions of one prompt, which are compared with one another. */
export interface Group {
  /** Token ids. */
  prompt: number[];
  /** Token ids of each, all distinct [G][...]. */
  completions: number[][];
  /** What each is worth [G]. */
  rewards: number[];
}

/**
 * -mean over groups, completions and tokens of (advantage x log p - beta x KL), the KL to the reference estimated by
 * exp(d) - d - 1 with d = log reference - log policy (`k3`, Schulman 2020).
 * @param given advantage of each completion of each group; default within the group
 */
export function grpoLoss(
  model: LanguageModel,
  reference: LanguageModel,
  groups: readonly Group[],
  beta: number,
  given: readonly (readonly number[])[] = groups.map(({ rewards }) => groupAdvantages(rewards)),
  options?: ForwardOptions,
): MicroBatch {
  const targets: TreeTarget[] = [];
  const weights: number[] = [];
  const advantages: number[] = [];
  const trees = groups.map(({ prompt, completions }, tree) => {
    const packed = prefixTree(
      prompt,
      completions.map((completion) => completion.slice(0, -1)),
    ); // the last predicts nothing
    completions.forEach((completion, g) =>
      completion.forEach((token, i) => {
        targets.push({ tree, node: i === 0 ? prompt.length - 1 : packed.nodes[g]![i - 1]!, token });
        weights.push(1 / (groups.length * completions.length * completion.length));
        advantages.push(given[tree]![g]!);
      }),
    );
    return packed;
  });
  const scorer = forestLogProbs(model.config, trees, targets);
  const fixed = tf.tidy(() => scorer.logProbs(reference).clone());
  const weight = tf.tensor1d(weights);
  const advantage = tf.tensor1d(advantages);
  const loss = (logProbs: tf.Tensor1D): tf.Scalar => {
    const d = tf.sub(fixed, logProbs);
    const kl = tf.sub(tf.sub(tf.exp(d), d), 1);
    return tf.sum(tf.mul(weight, tf.sub(tf.mul(kl, beta), tf.mul(advantage, logProbs))));
  };
  const part = forestLoss(model, scorer, loss, options);
  return {
    ...part,
    dispose() {
      part.dispose();
      tf.dispose([fixed, weight, advantage]);
    },
  };
}
