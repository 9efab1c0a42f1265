/**
 * The micro-batches of an update of fine-tuning: its examples divided by a token budget, packed as trees, the loss on
 * their answers.
 *
 * The whole batch is sorted before it is divided, so that texts that begin alike come together and share their
 * beginning (`shared-prefixes.ts`); the gradient is the same however it is divided. Under dropout each text has masks
 * of its own: nothing is shared, and the order stays.
 */
import * as tf from '@tensorflow/tfjs';
import { balancedRun, type Share } from '../../cluster/alone.js';
import type { ForwardOptions } from '../../lm/decoder.js';
import { withLoraDropout } from '../../lm/lora/lora.js';
import type { LanguageModel } from '../../lm/language-model.js';
import { dropoutFrom } from '../../ops/dropout.js';
import type { Random } from '../../support/random.js';
import type { Example } from '../../tasks/examples.js';
import { forestLoss, forestLogProbs } from '../loop/forest-loss.js';
import type { MicroBatch } from '../loop/gradients.js';
import { separateTrees, type PackedTrees, sharePrefixes, sortTexts } from './shared-prefixes.js';

/** Options of `sftMicroBatches`. */
export interface MicroBatchOptions {
  /** Tokens of the texts of a micro-batch at most; a longer text is one by itself. */
  tokenBudget: number;
  /** On embeddings and residual branches, in [0, 1). Default 0. */
  dropout?: number;
  /** Keep every layer's input alone (`ForwardOptions`). Default false. */
  layerCheckpointing?: boolean;
  /** Of the masks, the adapters' too. Default none: no dropout at all. */
  random?: Random;
  /** The process whose part of the examples this is. Default all of them. */
  share?: Share | undefined;
}

/**
 * Negative log-likelihood of the examples' targets, each times its weight, divided by their number (not by the sum of
 * the weights, so that a target counts alike beside whichever others); the parts' losses add up to it.
 */
export function sftMicroBatches(
  model: LanguageModel,
  examples: readonly Example[],
  options: MicroBatchOptions,
): MicroBatch[] {
  const { tokenBudget, dropout = 0, layerCheckpointing = false, random, share } = options;
  const targets = examples.reduce((sum, { labelPositions: at }) => sum + at.length, 0);
  const apart = random ? hasMasks(model, dropout) : false;
  return packMicroBatches(ownExamples(examples, share, apart), tokenBudget, apart).map((laid) => {
    if (!random) return sftLoss(model, laid, targets, { layerCheckpointing });
    const masks = dropoutFrom(random, dropout);
    return sftLoss(withLoraDropout(model, random), laid, targets, { dropout: masks, layerCheckpointing });
  });
}

/** Texts that begin alike stay together, so that they share their beginning in one process. */
function ownExamples(examples: readonly Example[], share: Share | undefined, apart: boolean): readonly Example[] {
  if (!share) return examples;
  return balancedRun(share, apart ? examples : sortTexts(examples), ({ tokens }) => tokens.length);
}

/** The share of a part in a loss over so many targets. */
export function sftLoss(
  model: LanguageModel,
  laid: PackedTrees,
  targets: number,
  options?: ForwardOptions,
): MicroBatch {
  const scorer = forestLogProbs(model.config, laid.trees, laid.targets);
  const weights = laid.targets.some(({ weight }) => weight !== undefined)
    ? Float32Array.from(laid.targets, ({ weight = 1 }) => weight)
    : undefined;
  const weighted = (logProbs: tf.Tensor1D): tf.Tensor => (weights ? tf.mul(logProbs, tf.tensor1d(weights)) : logProbs);
  return forestLoss(model, scorer, (logProbs) => tf.mul(tf.sum(weighted(logProbs)), -1 / targets), options);
}

/** Whether training draws masks, so that texts share no prefix. */
export function hasMasks({ lora }: LanguageModel, dropout: number): boolean {
  return dropout > 0 || (lora?.dropout ?? 0) > 0;
}

/** The trees of each part. @param apart whether every text is a tree of its own, in the order given */
export function packMicroBatches(examples: readonly Example[], tokenBudget: number, apart: boolean): PackedTrees[] {
  const size = ({ tokens }: Example): number => tokens.length;
  return apart
    ? byTokens(examples, tokenBudget, size).map(separateTrees)
    : byTokens(sortTexts(examples), tokenBudget, size).map(sharePrefixes);
}

/** Tokens that go through the model. */
export function tokensOf({ trees }: PackedTrees): number {
  return trees.reduce((sum, { token }) => sum + token.length, 0);
}

/** Runs of elements of at most `budget` tokens; a longer one is a run by itself. */
export function byTokens<T>(elements: readonly T[], budget: number, size: (element: T) => number): T[][] {
  const runs: T[][] = [];
  let used = Infinity;
  for (const element of elements) {
    const tokens = size(element);
    if (used + tokens > budget) {
      runs.push([]);
      used = 0;
    }
    runs.at(-1)!.push(element);
    used += tokens;
  }
  return runs;
}
