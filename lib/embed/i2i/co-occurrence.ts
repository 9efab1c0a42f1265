/**
 * What users say is alike: items that follow one another closely in training rows. The truth that item-to-item quality
 * is measured against (after GRec's notebook).
 */
import type { Row } from '../../data/dataset.js';

/** How pairs are counted. */
export interface CoOccurrenceOptions {
  /** Items before a target that count as near it. Default 5. */
  window?: number;
  /** Times that a pair must occur. Default 2. */
  atLeast?: number;
}

/**
 * The item that occurs most often near each item, in either order; ties go to the lower id. A user's pair counts once a
 * row, and an item is not near itself.
 * @returns item id -> its most frequent neighbour; items without one are missing
 */
export function mostFrequentNeighbours(
  rows: readonly Pick<Row, 'history' | 'target'>[],
  { window = 5, atLeast = 2 }: CoOccurrenceOptions = {},
): Map<number, number> {
  const counts = new Map<number, Map<number, number>>();
  const count = (a: number, b: number): void => {
    const of = counts.get(a) ?? new Map<number, number>();
    of.set(b, (of.get(b) ?? 0) + 1);
    counts.set(a, of);
  };
  for (const { history, target } of rows) {
    for (const near of new Set(history.slice(-window))) {
      if (near === target) continue;
      count(near, target);
      count(target, near);
    }
  }
  const best = new Map<number, number>();
  for (const [item, of] of [...counts].sort(([a], [b]) => a - b)) {
    const [top] = [...of].sort(([a, m], [b, n]) => n - m || a - b);
    if (top && top[1] >= atLeast) best.set(item, top[0]);
  }
  return best;
}
