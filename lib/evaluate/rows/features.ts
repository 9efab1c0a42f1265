/**
 * What is known of a row beside its ranking: how popular its target is, and how much of its target's SID its history
 * has already.
 */
import type { Row } from '../../data/dataset.js';
import { codeTokens, type SidIndex } from '../../data/sid-index.js';

/**
 * Popularity of each item as a share: items that were bought less often, and half of those bought as often, of all
 * items (mid-rank), in [0, 1].
 * @example popularityPercentiles([5, 0, 0, 1]) // [0.875, 0.25, 0.25, 0.625]
 */
export function popularityPercentiles(counts: ArrayLike<number>): Float64Array {
  const sorted = Float64Array.from(counts).sort();
  const percentiles = new Float64Array(counts.length);
  const of = new Map<number, number>();
  for (let from = 0; from < sorted.length;) {
    let to = from;
    while (to < sorted.length && sorted[to] === sorted[from]) to++;
    of.set(sorted[from]!, (from + to) / 2 / sorted.length);
    from = to;
  }
  for (let id = 0; id < counts.length; id++) percentiles[id] = of.get(counts[id]!)!;
  return percentiles;
}

/**
 * Leading SID codes that the target has in common with the item of the history that has most of them.
 * @example sharedCodes(['<a_1>', '<b_2>'], [['<a_1>', '<b_3>'], ['<a_4>', '<b_2>']]) // 1
 */
export function sharedCodes(target: readonly string[], history: readonly (readonly string[])[]): number {
  let most = 0;
  for (const tokens of history) {
    let shared = 0;
    while (shared < target.length && tokens[shared] === target[shared]) shared++;
    most = Math.max(most, shared);
  }
  return most;
}

/** The same by item ids. Ids without a SID share nothing. */
export function sharedWithHistory({ history, target }: Pick<Row, 'history' | 'target'>, index: SidIndex): number {
  const histories = history.flatMap((id) => (index[id] ? [codeTokens(index[id])] : []));
  return sharedCodes(codeTokens(index[target] ?? []), histories);
}
