/**
 * From interactions in order of time to rows to be predicted, and the rows' split.
 *
 * Follows MiniOneRec's Amazon processing: every interaction of a user with at least one before it is a row; its
 * history is the last `window` items before it, repeats kept.
 */
import type { Row, Split } from '../dataset.js';

/** One user and one item of theirs; interactions are in order of time. */
export interface Interaction {
  /** Name of the user. */
  user: string;
  /** Item id. */
  item: number;
}

import type { SplitRule } from './filter-options.js';

/**
 * @param interactions oldest first
 * @param window longest history
 * @returns rows in the order of their targets
 */
export function buildRows(interactions: readonly Interaction[], window: number): Row[] {
  const past = new Map<string, number[]>();
  const rows: Row[] = [];
  for (const { user, item } of interactions) {
    const history = past.get(user) ?? [];
    if (history.length > 0) rows.push({ user, history, target: item });
    past.set(user, [...history, item].slice(-window));
  }
  return rows;
}

/**
 * `chronological`: the first floor(0.8 n) rows train, up to floor(0.9 n) validate, the rest test.
 * `leave-one-out`: each user's last row tests, the one before validates, the others train.
 */
export function splitRows(rows: readonly Row[], rule: SplitRule): Record<Split, Row[]> {
  switch (rule) {
    case 'chronological': {
      // Whole numbers: 0.8 * n in floating point may lie a hair below a whole number.
      const [a, b] = [Math.floor((8 * rows.length) / 10), Math.floor((9 * rows.length) / 10)];
      return { train: rows.slice(0, a), valid: rows.slice(a, b), test: rows.slice(b) };
    }
    case 'leave-one-out':
      return leaveOneOut(rows);
    default:
      throw rule satisfies never;
  }
}

function leaveOneOut(rows: readonly Row[]): Record<Split, Row[]> {
  const left = new Map<string, number>();
  for (const { user } of rows) left.set(user, (left.get(user) ?? 0) + 1);
  const splits: Record<Split, Row[]> = { train: [], valid: [], test: [] };
  for (const row of rows) {
    const after = left.get(row.user)! - 1;
    left.set(row.user, after);
    splits[after === 0 ? 'test' : after === 1 ? 'valid' : 'train'].push(row);
  }
  return splits;
}
