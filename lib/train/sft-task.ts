/**
 * What supervised fine-tuning learns, for the loop: drafts of a mix of tasks in batches, the loss on their answers, and
 * validation by loss and ranking.
 */
import * as tf from '@tensorflow/tfjs';
import type { Row } from '../data/index.js';
import type { Recommender } from '../evaluate/index.js';
import { withLoraDropout } from '../lm/index.js';
import type { Dropout, LanguageModel, Renderer } from '../lm/index.js';
import { dropoutFrom } from '../ops/index.js';
import { Random } from '../support/index.js';
import { cutInto, rowExamples } from './examples.js';
import type { Example } from './examples.js';
import { forestPart, forestScorer } from './forest-part.js';
import type { Part, Task } from './loop.js';
import { separateTrees, shareTrunks } from './share-trunks.js';
import type { Draft, TaskSet } from './tasks/index.js';
import { validator } from './validate.js';

export interface SftTaskOptions {
  batchSize: number;
  /** Tokens a batch, in place of `batchSize`. Default 0, by examples. */
  batchTokens?: number;
  tokenBudget: number;
  dropout: number;
  validRows: number;
  seed: number;
}

/** Held-out rows of a task, whose answers' loss is measured. */
export interface HeldOut {
  name: string;
  rows: readonly Row[];
  render: Renderer;
}

/** What is measured on held-out rows. */
export interface Validation {
  /** One loss each, and the loss of all together. */
  heldOut: readonly HeldOut[];
  /** The rows that are ranked, and what ranks them; absent where no task answers with a SID. */
  ranking?: { recommender: Recommender; rows: readonly Row[] };
}

/** @param renderers one a task of the set */
export function sftTask(
  model: LanguageModel,
  tasks: TaskSet,
  renderers: readonly Renderer[],
  { heldOut, ranking }: Validation,
  options: SftTaskOptions,
): Task<Draft[]> & Required<Pick<Task<Draft[]>, 'outline'>> {
  const { batchSize, batchTokens = 0, tokenBudget, dropout, validRows, seed } = options;
  const rank = ranking && validator(ranking.recommender, ranking.rows, validRows, seed);
  const held = heldOut.map(({ name, rows, render }) => ({ name, examples: rowExamples(rows, render) }));
  return {
    name: 'sft',
    batches(epoch) {
      const order = new Random(`${seed}/sft/${epoch}`).shuffle(tasks.drafts(epoch));
      const size = (draft: Draft): number => tasks.example(draft, renderers).tokens.length;
      return batchTokens > 0 ? byTokens(order, batchTokens, size) : cutInto(order, batchSize);
    },
    objective(drafts, random) {
      const batch = drafts.map((draft) => tasks.example(draft, renderers));
      const targets = batch.reduce((sum, example) => sum + example.at.length, 0);
      const parts = byTokens(batch, tokenBudget, tokensOf).map((of) =>
        lossPart(withLoraDropout(model, random), of, targets, dropoutFrom(random, dropout)),
      );
      const cut = batch.filter((example) => example.cut).length;
      return { parts, ...(cut > 0 && { metrics: { cut } }) };
    },
    outline(drafts) {
      const batch = drafts.map((draft) => tasks.example(draft, renderers));
      const sizes = byTokens(batch, tokenBudget, tokensOf).map((of) => of.reduce((sum, one) => sum + tokensOf(one), 0));
      return { sizes, examples: drafts.length, first: (examples) => drafts.slice(0, examples) };
    },
    async validate() {
      const losses = held.map(({ name, examples }) => ({ name, ...heldOutLoss(model, examples, tokenBudget) }));
      const targets = losses.reduce((sum, of) => sum + of.targets, 0);
      const loss = losses.reduce((sum, of) => sum + of.loss * (of.targets / Math.max(1, targets)), 0);
      const each = losses.length > 1 ? losses.map((of) => [`loss ${of.name}`, of.loss] as const) : [];
      return { loss, ...Object.fromEntries(each), ...(rank && (await rank())) };
    },
  };
}

/**
 * Negative log-likelihood of the examples' targets, divided by the number of targets of the whole batch. Texts that
 * begin alike share their beginning, but under dropout, where each text has masks of its own.
 */
function lossPart(model: LanguageModel, examples: readonly Example[], targets: number, dropout?: Dropout): Part {
  const alone = dropout !== undefined || (model.lora?.dropout ?? 0) > 0;
  const { trees, targets: pairs } = alone ? separateTrees(examples) : shareTrunks(examples);
  const scorer = forestScorer(model.config, trees, pairs);
  return forestPart(model, scorer, (logProbs) => tf.mul(tf.sum(logProbs), -1 / targets), dropout);
}

/** Mean over the targets of the examples. */
function heldOutLoss(
  model: LanguageModel,
  examples: readonly Example[],
  tokenBudget: number,
): { loss: number; targets: number } {
  const targets = examples.reduce((sum, { at }) => sum + at.length, 0);
  const loss = byTokens(examples, tokenBudget, tokensOf).reduce((sum, of) => {
    const part = lossPart(model, of, targets);
    const value = tf.tidy(() => part.loss().dataSync()[0]!);
    part.dispose();
    return sum + value;
  }, 0);
  return { loss, targets };
}

const tokensOf = ({ tokens }: Example): number => tokens.length;

/** Runs of elements of at most `budget` tokens; a longer one stands alone. */
function byTokens<T>(elements: readonly T[], budget: number, size: (element: T) => number): T[][] {
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
