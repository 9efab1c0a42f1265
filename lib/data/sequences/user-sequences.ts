/**
 * What each user bought, in order, put together from rows (history, target).
 *
 * MiniOneRec's rows are in order of time, each history the last items of what came before it, so that a user's rows are
 * one sequence: the first row's history, then every row's target. Rows of one's own need not be: sessions of one user,
 * rows that were shuffled, or a sample of them; those are put together by `buildSequences`.
 */
import type { Row } from '../dataset.js';
import { buildSequences } from './build-sequences.js';

/**
 * The sequences of item ids of each user, by the user's first row.
 * @example rows `1 2 -> 3`, `7 8 -> 9` of u: { u: [[1, 2, 3], [7, 8, 9]] }
 * @example rows `1 2 3 -> 4`, `1 -> 2`, `1 2 -> 3` of u: { u: [[1, 2, 3, 4]] }
 */
export function userSequences(rows: readonly Row[]): Map<string, number[][]> {
  const byUser = new Map<string, Row[]>();
  for (const row of rows) {
    const own = byUser.get(row.user);
    if (own) own.push(row);
    else byUser.set(row.user, [row]);
  }
  return new Map(
    [...byUser].map(([user, own]) => {
      const whole = inOrder(own);
      return [user, whole ? [whole] : buildSequences(own)];
    }),
  );
}

/** The one sequence of rows each of which continues those before it; undefined where one does not. */
function inOrder(rows: readonly Row[]): number[] | undefined {
  const items = [...rows[0]!.history];
  for (const { history, target } of rows) {
    if (!endsWith(items, history)) return undefined;
    items.push(target);
  }
  return items;
}

function endsWith(items: readonly number[], end: readonly number[]): boolean {
  const from = items.length - end.length;
  return from >= 0 && end.every((item, i) => items[from + i] === item);
}
