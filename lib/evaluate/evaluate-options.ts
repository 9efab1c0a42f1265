/** The options of `evaluate`. */
import { DATA_OPTIONS, INDEX_OPTIONS } from '../data/data-options.js';
import { PART_OPTIONS } from '../data/join/join-options.js';
import { PRECISION_OPTIONS } from '../lm/precision-options.js';
import { boolean, choice, custom, integer, number, path, text } from '../options/kinds.js';
import { LENGTHS } from '../decode/choices.js';
import type { Options } from '../options/option.js';
import { defineOptions, type Given, type OptionsOf } from '../options/schema.js';
import { InputError } from '../support/errors.js';
import type { Scorer } from './scorer.js';
import { SHARED_SIDS } from './shared-sids.js';
import { SHARD_HELP, shardProblem } from './shard.js';
import { PROMPT_OPTIONS } from '../tasks/prompt-options.js';

/** How rows are ranked. */
export const RANK_OPTIONS = {
  numBeams: integer('beams, and items a row', { default: 50 }),
  normalize: choice(['full', 'legal'], 'log-probabilities over the full vocabulary, or over the legal continuations', {
    default: 'full',
  }),
  lengthPenalty: number("scores are divided by a SID's tokens to this power, where their numbers differ", {
    default: 0,
  }),
  logitAdjustment: number(
    'tau: items are ranked by log p - tau * log of their popularity in training (Menon et al. 2021), for those bought ' +
      "seldom; targets' own log-probabilities are not told then",
    { default: 0 },
  ),
  sharedSids: choice(
    SHARED_SIDS,
    'where several items have a SID: its probability for each of them, or split evenly among them, so that they do not ' +
      "fill the list; targets' own log-probabilities are not told then",
    { default: 'each', cameLater: true },
  ),
  lengthOf: choice(
    LENGTHS,
    "what length-penalty counts: all of a SID's tokens, or those that the trie leaves a choice of",
    {
      default: 'tokens',
    },
  ),
  assistant: custom<string | Scorer>(
    'a recommender that reads no text and takes part in every step of the search (D3): model/ of a trained baseline, ' +
      'or its name, for its run in the data folder (in a joined one that of each data set); in a notebook also a function ' +
      '(histories, items) => scores',
    {
      mismatch: (value) =>
        typeof value === 'function' || (typeof value === 'string' && value !== '')
          ? undefined
          : 'a folder, the name of a trained baseline, or a function',
      schema: { type: 'string' },
      path: 'maybe',
    },
  ),
  assistantWeight: number("the assistant's share in the log-probability of every step", {
    default: 0.5,
    min: 0,
    max: 1,
  }),
  excludeHistory: boolean('never recommend what is in the history'),
  scoreTargets: boolean("tell each target's own log-probability, found or not", { default: true }),
  tokenBudget: integer(
    "tokens that go through the model at once, a row's beams among them; no metric depends on it but by rounding",
    { default: 16_384 },
  ),
} satisfies Options;

/** What would do nothing is refused. */
function refuse(wrong: boolean, message: string): void {
  if (wrong) throw new InputError(`evaluate: ${message}`);
}

/** A share of an assistant that is not there. */
export function checkAssistantWeight({
  assistant,
  assistantWeight,
}: {
  assistant?: unknown;
  assistantWeight: number;
}): void {
  const { default: usual } = RANK_OPTIONS.assistantWeight;
  refuse(
    assistant === undefined && assistantWeight !== usual,
    `--assistant-weight ${assistantWeight}: expected --assistant beside it, got none; name one, or leave it out`,
  );
}

/** Without a penalty no length is asked for. */
export function checkLengthOf({ lengthOf, lengthPenalty }: { lengthOf: string; lengthPenalty: number }): void {
  refuse(
    lengthOf !== RANK_OPTIONS.lengthOf.default && lengthPenalty === 0,
    `--length-of ${lengthOf}: expected a --length-penalty beside it, got 0; give one, or leave it out`,
  );
}

/** Between the options of ranking. */
export const RANK_RULES = { rules: [checkAssistantWeight, checkLengthOf] };

/** Declares the options of `evaluate`. */
export const EVALUATE_OPTIONS = defineOptions(
  'evaluate',
  {
    ...DATA_OPTIONS,
    ...INDEX_OPTIONS,
    ...PART_OPTIONS,
    model: path('model folder', { required: true, affectsResult: false }),
    template: text('a task that answers with a SID or a title; of items, held-out ones are asked about', {
      otherwise: 'the one that the model was trained to rank, else sids',
    }),
    ...PROMPT_OPTIONS,
    wording: integer("which of the task's wordings, from 1 (0: each; mean, least and most of the metrics are told)", {
      default: 1,
      min: 0,
    }),
    split: choice(['valid', 'test'], 'rows that are ranked', { default: 'test' }),
    ...RANK_OPTIONS,
    ...PRECISION_OPTIONS,
    shuffleHistories: integer('a control: deal the histories to the wrong rows first, by this seed', {
      min: 0,
      otherwise: 'not',
    }),
    limit: integer('the first so many rows (0: all)', { default: 0, min: 0 }),
    shard: custom<string>(SHARD_HELP, { mismatch: shardProblem, schema: { type: 'string' } }),
    results: path('file to write', {
      otherwise:
        'results-SPLIT-TASK-BEAMS.jsonl in the run, or in the model folder, with what is not as usual in its name',
      affectsResult: false,
    }),
  },
  RANK_RULES,
);

/** How rows are ranked. */
export interface RankOptions extends Given<typeof RANK_OPTIONS> {
  /** Shown on the progress line. Default `evaluate`. */
  label?: string;
}

/** Options of `evaluateStage`. */
export interface EvaluateStageOptions extends OptionsOf<typeof EVALUATE_OPTIONS> {
  /** Shown on the progress line. Default `evaluate`. */
  label?: string;
}
