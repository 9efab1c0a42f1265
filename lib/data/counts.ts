/**
 * What the counting baselines know: the train rows as chronological chains.
 *
 * A user's first train row carries the items bought before it, so its history and every train row's target are
 * exactly the items seen, each once; consecutive ones are the pairs.
 */
import type { Row } from './dataset.js';

/** What the counting baselines know of the training rows. */
export interface Counts {
  /** Item -> times seen, in the order in which items were first counted. */
  items: Map<number, number>;
  /** Item -> next item -> times. */
  pairs: Map<number, Map<number, number>>;
  /** Times seen of all items together. */
  total: number;
}

/** @param train rows in order of time */
export function countTrain(train: readonly Row[]): Counts {
  const items = new Map<number, number>();
  const pairs = new Map<number, Map<number, number>>();
  const users = new Set<string>();
  for (const { user, history, target } of train) {
    const chain = users.has(user) ? [history.at(-1)!, target] : [...history, target];
    for (const item of users.has(user) ? [target] : chain) increment(items, item);
    for (let i = 1; i < chain.length; i++) {
      const followers = pairs.get(chain[i - 1]!) ?? new Map<number, number>();
      increment(followers, chain[i]!);
      pairs.set(chain[i - 1]!, followers);
    }
    users.add(user);
  }
  const total = [...items.values()].reduce((sum, count) => sum + count, 0);
  return { items, pairs, total };
}

/** Most counted first; ties to the item counted first (the sort is stable, a map keeps its order). */
export function byCount(counts: ReadonlyMap<number, number>): [item: number, count: number][] {
  return [...counts].sort((a, b) => b[1] - a[1]);
}

function increment(counts: Map<number, number>, key: number): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
