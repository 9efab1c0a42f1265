/**
 * Training examples in tokens.
 *
 * Two modes, for "SIDs to SID" with the same next-item objective:
 *   `row`    one example a row of any task, loss on its answer (the reference's way);
 *   `chain`  one example a user, loss at every item of the history but the first: a fraction of the tokens.
 */
import type { Row } from '../data/dataset.js';
import { InputError } from '../support/errors.js';
import type { Renderer } from './prompts.js';
import type { Template } from './templates.js';

export interface Example {
  /** Token ids of the text, without its last token (which predicts nothing). */
  tokens: number[];
  /** Positions whose next token is learnt. */
  labelPositions: number[];
  /** The next token of each of them. */
  labels: number[];
  /** Whether the prompt was longer than the limit. */
  truncated?: true;
}

export const EXAMPLE_MODES = ['row', 'chain'] as const;
export type ExampleMode = (typeof EXAMPLE_MODES)[number];

export function rowExamples(rows: readonly Row[], render: Renderer): Example[] {
  return rows.map((row) => rowExample(row, render));
}

/** @param wording which of the template's prompts */
export function rowExample({ history, target }: Row, render: Renderer, wording = 0): Example {
  const before = render.truncated;
  const prompt = render.prompt(history, target, wording);
  const answer = render.answer(target, history);
  return {
    tokens: [...prompt, ...answer.slice(0, -1)],
    labelPositions: answer.map((_, i) => prompt.length - 1 + i),
    labels: answer,
    ...(render.truncated > before && { truncated: true }),
  };
}

/** Some items of one user, in order; all but the first `learnt` are learnt. */
export interface ChainText {
  items: number[];
  learnt: number;
}

/**
 * @param rows in order of time; a user's later rows continue the earlier ones
 * @param window items of context that an item gets at the least (where the user has as many); a longer history is cut
 *   into texts of twice as many, each item learnt once
 * @throws InputError if the wording is not a bare sequence of items
 */
export function chainTexts(rows: readonly Row[], template: Template, window: number): ChainText[] {
  if (!canChain(template)) {
    throw new InputError(
      '--mode chain: expected a template that is a bare sequence of items, such as sids; or take --mode row',
    );
  }
  return [...userSequences(rows).values()].flatMap((sequence) => cut(sequence, window));
}

export function chainExample({ items, learnt }: ChainText, render: Renderer): Example {
  const text = [...render.prompt([]), ...items.flatMap((item) => render.answer(item))];
  const from = text.length - items.slice(learnt).reduce((sum, item) => sum + render.answer(item).length, 0);
  const at = Array.from({ length: text.length - from }, (_, i) => from - 1 + i);
  return { tokens: text.slice(0, -1), labelPositions: at, labels: at.map((i) => text[i + 1]!) };
}

/** Whether a wording is a bare sequence of items, so that what follows any of them is predicted by the same words. */
export function canChain({ prompts, separator, answer }: Template): boolean {
  return prompts.length === 1 && prompts[0]!.endsWith('{history}') && separator === '' && answer === '{sid}';
}

/** What each user bought, oldest first: the first row's history, then every row's target. */
export function userSequences(rows: readonly Row[]): Map<string, number[]> {
  const sequences = new Map<string, number[]>();
  for (const { user, history, target } of rows) {
    const sequence = sequences.get(user);
    if (sequence) sequence.push(target);
    else sequences.set(user, [...history, target]);
  }
  return sequences;
}

/** Texts of at most 2 * window items. */
function cut(sequence: number[], window: number): ChainText[] {
  const texts = [{ items: sequence.slice(0, 2 * window), learnt: 1 }];
  for (let at = 2 * window; at < sequence.length; at += window) {
    texts.push({ items: sequence.slice(at - window, at + window), learnt: window });
  }
  return texts;
}

/** Runs of `size` elements, the last one of what is left. */
export function cutInto<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
}
