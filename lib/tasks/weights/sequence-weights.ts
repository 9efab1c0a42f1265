/**
 * Weights of the predictions of chain mode: a text of several items states several rows, each with a weight of its own.
 *
 * A prediction is found among its user's rows by the item before it and itself, the earlier row first. One that no row
 * states, in the history of a user's first row, has its item's factor and the row's factor of the next prediction of
 * the text that a row states.
 */
import type { Row } from '../../data/dataset.js';
import type { RowWeights } from './row-weights.js';

/** A function from a user and a sequence of the user's items to a weight of each item as a target; the first is never one. */
export type SequenceWeights = (user: string, items: readonly number[]) => number[];

/** @param rows those that the sequences are made of, with their numbers among the rows of the weights */
export function sequenceWeights(
  rows: readonly Row[],
  numbers: ArrayLike<number>,
  { ofItem, ofRow }: RowWeights,
): SequenceWeights {
  const stated = new Map<string, number[]>();
  rows.forEach(({ user, history, target }, i) => {
    const key = keyOf(user, history.at(-1)!, target);
    const found = stated.get(key);
    if (found) found.push(ofRow[numbers[i]!]!);
    else stated.set(key, [ofRow[numbers[i]!]!]);
  });
  return (user, items) => {
    const factors = items.map((item, i) =>
      i === 0 ? undefined : stated.get(keyOf(user, items[i - 1]!, item))?.shift(),
    );
    let next = factors.findLast((factor) => factor !== undefined)!; // a sequence is of rows, so some are stated
    for (let i = items.length - 1; i >= 0; i--) next = factors[i] ??= next;
    return items.map((item, i) => ofItem[item]! * factors[i]!);
  };
}

function keyOf(user: string, before: number, item: number): string {
  return `${before} ${item} ${user}`;
}
