/**
 * Fewer rows, as MiniOneRec's convert_dataset.py has them.
 *
 * Departures: rows that are drawn keep their order in the file (there they are shuffled), and the draw is the kit's
 * own, so equal seeds do not give that script's rows.
 */
import { Random } from '../support/random.js';
import type { Row } from './dataset.js';

/** Of each user the row with the longest history, the first of several; users in the order of their first rows. */
export function longestRows(rows: Iterable<Row>): Row[] {
  const longest = new Map<string, Row>();
  for (const row of rows) {
    const known = longest.get(row.user);
    if (!known || row.history.length > known.history.length) longest.set(row.user, row);
  }
  return [...longest.values()];
}

/**
 * @param rows asked for twice where some are drawn: for their number, and for those that are drawn
 * @returns all rows, or `count` of them, each set equally likely, in their order
 */
export function* drawRows(rows: () => Iterable<Row>, count: number | undefined, seed: string): Generator<Row> {
  let total = 0;
  if (count !== undefined) for (const _ of rows()) total++;
  if (count === undefined || total <= count) return yield* rows();
  const order = Array.from({ length: total }, (_, i) => i);
  const drawn = new Set(new Random(seed).shuffle(order).slice(0, count));
  let at = 0;
  for (const row of rows()) if (drawn.has(at++)) yield row;
}
