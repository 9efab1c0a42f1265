/** Lists without the items of their rows' histories: what is left out is made up for by asking for longer lists. */
import { largest } from '../../support/extremes.js';
import type { Row } from '../../data/dataset.js';
import type { Result } from '../result.js';

/** How long a list must be so that `topK` items are left of it, whatever the histories of the rows hold. */
export function lengthWithHistory(rows: readonly Row[], topK: number): number {
  const sizes = rows.map(({ history }) => new Set(history).size);
  return topK + largest(sizes, 0);
}

/** @param results lists of `lengthWithHistory` items @returns of each the first `topK` that are not in its history */
export function withoutHistory(results: readonly Result[], topK: number): Result[] {
  return results.map((result) => {
    const had = new Set(result.history);
    const kept = result.items.flatMap((item, i) => (had.has(item) ? [] : [i])).slice(0, topK);
    return { ...result, items: kept.map((i) => result.items[i]!), scores: kept.map((i) => result.scores[i]!) };
  });
}
