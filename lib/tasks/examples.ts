/**
 * Training examples in tokens.
 *
 * Two modes, for "SIDs to SID" with the same next-item objective:
 *   `row`    one example a row of any task, loss on its answer (the reference's way);
 *   `chain`  one example a sequence of a user, loss at every item but the first: a fraction of the tokens.
 */
import type { Row } from '../data/dataset.js';
import { InputError } from '../support/errors.js';
import type { Renderer } from './prompts.js';
import type { Template } from './templates.js';
import { userSequences } from '../data/sequences/user-sequences.js';
import type { SequenceWeights } from './weights/sequence-weights.js';

/** A text in tokens, and where it is trained. */
export interface Example {
  /** Token ids of the text, without its last token (which predicts nothing). */
  tokens: number[];
  /** Positions whose next token is trained, ascending. */
  labelPositions: number[];
  /** The next token of each of them. */
  labels: number[];
  /** How much each label counts; absent where each counts alike. */
  weights?: number[];
  /** Whether the prompt was longer than the limit. */
  truncated?: true;
}

/** One example a row, or one a sequence of a user. */
export const EXAMPLE_MODES = ['row', 'chain'] as const;
/** A word of `EXAMPLE_MODES`. */
export type ExampleMode = (typeof EXAMPLE_MODES)[number];

/** Where the loss of a row's example is: on its answer, or on every token of prompt and answer but the first. */
export const LOSS_ON = ['answer', 'all'] as const;
/** A word of `LOSS_ON`. */
export type LossOn = (typeof LOSS_ON)[number];

/** One example a row, with the first of the template's prompts. */
export function rowExamples(rows: readonly Row[], render: Renderer): Example[] {
  return rows.map((row) => rowExample(row, render));
}

/** @param prompt which of the template's prompts */
export function rowExample({ history, target }: Row, render: Renderer, prompt = 0, lossOn: LossOn = 'answer'): Example {
  const before = render.truncated;
  const asked = render.prompt(history, target, prompt);
  const answer = render.answer(target, history);
  const labels = lossOn === 'all' ? [...asked.slice(1), ...answer] : answer;
  const first = asked.length + answer.length - 1 - labels.length;
  return {
    tokens: [...asked, ...answer.slice(0, -1)],
    labelPositions: labels.map((_, i) => first + i),
    labels,
    ...(render.truncated > before && { truncated: true }),
  };
}

/** Some items of one user, in order. */
export interface ChainText {
  /** Item ids, oldest first. */
  items: number[];
  /** How many of the first items are context alone; the others are trained. At least 1. */
  context: number;
  /** How much each item counts as a label, one an item; absent where each counts alike. */
  weights?: number[];
}

/**
 * The texts of chain mode.
 * @param rows usually in order of time, a user's later rows continuing the earlier ones; see `userSequences` for others
 * @param window items of context that an item gets at the least (where the user has as many); a longer sequence becomes
 *   texts of twice as many, each item trained once
 * @param weights of the items of a user's sequence, asked once a sequence. Default each counts alike
 * @throws InputError if the template is not a bare sequence of items
 */
export function chainTexts(
  rows: readonly Row[],
  template: Template,
  window: number,
  weights?: SequenceWeights,
): ChainText[] {
  if (!canChain(template)) {
    throw new InputError(
      '--mode chain: expected a template that is a bare sequence of items, such as sids; or take --mode row',
    );
  }
  return [...userSequences(rows)].flatMap(([user, of]) =>
    of.flatMap((sequence) => windows(sequence, window, weights?.(user, sequence))),
  );
}

/** A text of chain mode in tokens: what the template says before a history, then every item. */
export function chainExample({ items, context, weights }: ChainText, render: Renderer): Example {
  const text = [...render.prompt([]), ...items.flatMap((item) => render.answer(item))];
  const trained = items.slice(context).reduce((sum, item) => sum + render.answer(item).length, 0);
  const labelPositions = Array.from({ length: trained }, (_, i) => text.length - trained - 1 + i);
  const ofLabels = weights?.slice(context).flatMap((weight, i) => render.answer(items[context + i]!).map(() => weight));
  return {
    ...{ tokens: text.slice(0, -1), labelPositions, labels: labelPositions.map((i) => text[i + 1]!) },
    ...(ofLabels && { weights: ofLabels }),
  };
}

/** Whether a template is a bare sequence of items, so that what follows any of them is predicted by the same words. */
export function canChain({ prompts, separator, answer }: Template): boolean {
  return prompts.length === 1 && prompts[0]!.endsWith('{history}') && separator === '' && answer === '{sid}';
}

/** Texts of at most 2 * window items, each but the first with `window` items of context. */
function windows(sequence: number[], window: number, weights?: number[]): ChainText[] {
  const text = (from: number, to: number, context: number): ChainText => ({
    ...{ items: sequence.slice(from, to), context },
    ...(weights && { weights: weights.slice(from, to) }),
  });
  const texts = [text(0, 2 * window, 1)];
  for (let from = 2 * window; from < sequence.length; from += window) {
    texts.push(text(from - window, from + window, window));
  }
  return texts;
}

/** Runs of `size` elements, the last one of what is left. */
export function cutInto<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
}
