/**
 * Transition: the items that most often came right after the last item of the history (a first-order Markov chain,
 * counted, not smoothed); ties by popularity; then popularity itself fills the list. Seen items stay candidates.
 */
import type { Row } from '../data/dataset.js';
import type { Result } from '../evaluate/results-file.js';
import type { Baseline, BaselineOptions } from './baseline.js';
import { byCount, countTrain } from '../data/counts.js';

/**
 * Scores: the count of the transition plus, below 1, the item's share of (1 + the largest popularity), so that they
 * never rise along a list.
 * @param train rows in order of time
 */
export function transition(train: readonly Row[], test: readonly Row[], options: BaselineOptions = {}): Result[] {
  const { topK = 50 } = options;
  const { items, pairs } = countTrain(train);
  const popular = byCount(items);
  const largest = popular[0]?.[1] ?? 0;
  const place = new Map(popular.map(([item], rank) => [item, rank]));
  const rank = (last: number) => {
    const followers = [...(pairs.get(last) ?? [])].sort((a, b) => b[1] - a[1] || place.get(a[0])! - place.get(b[0])!);
    const counted = new Set(followers.map(([item]) => item));
    const list = followers.slice(0, topK);
    for (let i = 0; i < popular.length && list.length < topK; i++) {
      if (!counted.has(popular[i]![0])) list.push([popular[i]![0], 0]);
    }
    return {
      items: list.map(([item]) => item),
      scores: list.map(([item, count]) => count + items.get(item)! / (1 + largest)),
    };
  };
  const ranked = new Map<number, ReturnType<typeof rank>>();
  return test.map((row) => {
    const last = row.history.at(-1)!;
    const list = ranked.get(last) ?? rank(last);
    ranked.set(last, list);
    return { ...row, ...list };
  });
}

/** The same as one of `BASELINES`. */
export const TRANSITION = {
  name: 'transition',
  help: 'the items that most often came right after the last one of the history',
  rank: transition,
} as const satisfies Baseline;
