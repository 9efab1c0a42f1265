/**
 * The loss on the answers of held-out rows. The examples of a few rows are made once and kept; those of many are made block
 * by block each time, so that memory does not grow with the rows.
 */
import * as tf from '@tensorflow/tfjs';
import { dealt } from '../../cluster/alone.js';
import type { Cluster } from '../../cluster/cluster.js';
import type { Row } from '../../data/dataset.js';
import type { LanguageModel } from '../../lm/language-model.js';
import { cutInto, type Example, rowExamples } from '../../tasks/examples.js';
import type { Renderer } from '../../tasks/prompts.js';
import { packMicroBatches, sftLoss } from './micro-batches.js';

/** Held-out rows whose examples are made at once. */
const HELD_BLOCK = 1 << 14;

/** The examples of the rows, block by block; where there is more than one they are made anew each time. */
export function exampleBlocks(rows: readonly Row[], render: Renderer, size = HELD_BLOCK): (() => Example[])[] {
  if (rows.length > size) return cutInto(rows, size).map((block) => () => rowExamples(block, render));
  const examples = rowExamples(rows, render);
  return [() => examples];
}

/** A mean over targets. */
export interface HeldOutLoss {
  loss: number;
  /** How many. */
  targets: number;
}

/** The mean over the targets of all together. */
export function meanLoss(losses: readonly HeldOutLoss[]): HeldOutLoss {
  const targets = losses.reduce((sum, of) => sum + of.targets, 0);
  const loss = losses.reduce((sum, of) => sum + of.loss * (of.targets / Math.max(1, targets)), 0);
  return { loss, targets };
}

/** The mean over the examples' targets. @param cluster whose processes share the work */
export function heldOutLoss(
  model: LanguageModel,
  examples: readonly Example[],
  tokenBudget: number,
  cluster?: Cluster,
): HeldOutLoss {
  const targets = examples.reduce((sum, { labels }) => sum + labels.length, 0);
  const losses = dealt(cluster, packMicroBatches(examples, tokenBudget, false), (packed) => {
    const microBatch = sftLoss(model, packed, targets);
    const value = tf.tidy(() => microBatch.loss().dataSync()[0]!);
    microBatch.dispose();
    return value;
  });
  return { loss: losses.reduce((sum, value) => sum + value, 0), targets };
}
