/**
 * Examples of short histories, made of longer ones: some examples of an epoch come a second time with the last items of
 * their history alone, so that a model that has hardly seen users with few purchases learns to answer them. (Cropping:
 * Xie et al., CL4SRec, arXiv 2010.14395, section 3.3.1. Departure: what is left ends at the target, and is trained by the
 * loss of any other example.)
 */
import type { Row } from '../data/dataset.js';
import type { Random } from '../support/random.js';
import type { ChainText } from './examples.js';

/** What is left of a sequence: the places [from, to). */
export type Cut = readonly [from: number, to: number];

/**
 * A history that keeps its last one to `longest` items, each length equally likely, and loses one at the least.
 * @param length of the history @returns undefined where it has nothing to lose
 * @example of 5 items and at most 3: [4, 5], [3, 5] or [2, 5]
 */
export function cutHistory(length: number, longest: number, random: Random): Cut | undefined {
  if (length < 2) return undefined;
  return [length - 1 - random.int(Math.min(longest, length - 1)), length];
}

/**
 * A text of chain mode that begins later, anywhere before its last item, and has at most `longest` items before the last
 * one that it trains; it trains no item that the whole text does not train.
 * @returns undefined where it has nothing to lose
 * @example of 5 items, the first as context, and at most 2: [1, 4], [2, 5] or [3, 5]
 */
export function cutChain({ items, context }: ChainText, longest: number, random: Random): Cut | undefined {
  const first = Math.max(1, context - longest);
  const choices = items.length - 1 - first;
  if (choices < 1) return undefined;
  const from = first + random.int(choices);
  return [from, Math.min(items.length, from + longest + 1)];
}

/** A row with what is left of its history. */
export function cutRow(row: Row, cut: Cut | undefined): Row {
  return cut ? { user: row.user, history: row.history.slice(...cut), target: row.target } : row;
}

/** What is left of a text; its first item is context. */
export function cutText(text: ChainText, cut: Cut | undefined): ChainText {
  if (!cut) return text;
  const { items, context, weights } = text;
  return {
    ...{ items: items.slice(...cut), context: Math.max(1, context - cut[0]) },
    ...(weights && { weights: weights.slice(...cut) }),
  };
}
