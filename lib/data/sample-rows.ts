/**
 * Fewer rows, as MiniOneRec's convert_dataset.py has them.
 *
 * Departures: rows that are drawn keep their order in the file (there they are shuffled), and the draw is the kit's
 * own, so equal seeds do not give that script's rows.
 */
import { Random } from '../support/random.js';
import type { Row } from './dataset.js';

/** Of each user the row with the longest history, the first of several; users in the order of their first rows. */
export function longestRows(rows: readonly Row[]): Row[] {
  const longest = new Map<string, Row>();
  for (const row of rows) {
    const known = longest.get(row.user);
    if (!known || row.history.length > known.history.length) longest.set(row.user, row);
  }
  return [...longest.values()];
}

/** @returns all rows, or `count` of them, each set equally likely, in their order */
export function drawRows(rows: readonly Row[], count: number | undefined, seed: string): readonly Row[] {
  if (count === undefined || rows.length <= count) return rows;
  const order = new Random(seed).shuffle(rows.map((_, i) => i)).slice(0, count);
  return order.sort((a, b) => a - b).map((i) => rows[i]!);
}
