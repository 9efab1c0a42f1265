/**
 * Item-kNN (Sarwar et al., WWW 2001; Deshpande & Karypis, TOIS 2004): items bought by the same users as those of the
 * history. The similarity of two items is the cosine of their columns in the matrix of users and items, 1 where a user
 * bought an item, with shrinkage; a candidate's score is the sum of its similarities to the distinct items of the
 * history that it is a neighbour of. Popularity fills the list. Seen items stay candidates; an item is not its own
 * neighbour.
 */
import type { Row } from '../data/dataset.js';
import type { Result } from '../evaluate/results-file.js';
import { integer, number } from '../options/kinds.js';
import type { Baseline, BaselineOptions } from './baseline.js';
import { byCount, countTrain } from '../data/counts.js';

/** Options of `itemKnn`. */
export interface ItemKnnOptions extends BaselineOptions {
  /** Neighbours of each item, the most similar. Default 100. */
  neighbours?: number;
  /** Added below the fraction: the larger, the less a similarity of few users counts. Default 10. */
  shrinkage?: number;
}

type Scored = [item: number, score: number];

/**
 * similarity(i, j) = users of both / (sqrt(users of i * users of j) + shrinkage). Scores of filled items are their share
 * of (1 + the largest popularity) times a number below every similarity, so that they never rise along a list.
 * @param train rows in order of time
 * @example // two users bought 1 and 2, one of them 3 too: without shrinkage similarity(1, 2) is 1, (1, 3) is 0.71
 */
export function itemKnn(train: readonly Row[], test: readonly Row[], options: ItemKnnOptions = {}): Result[] {
  const { topK = 50, neighbours = 100, shrinkage = 10 } = options;
  const popular = byCount(countTrain(train).items);
  const place = new Map(popular.map(([item], rank) => [item, rank]));
  const near = neighbourFinder(train, neighbours, shrinkage, place);
  const largest = popular[0]?.[1] ?? 0;
  return test.map((row) => {
    const sums = new Map<number, number>();
    for (const item of new Set(row.history)) {
      for (const [other, similarity] of near(item)) sums.set(other, (sums.get(other) ?? 0) + similarity);
    }
    const found = inOrder([...sums], place);
    const below = found.reduce((least, [, score]) => Math.min(least, score), 1);
    const fill = popular
      .filter(([item]) => !sums.has(item))
      .map(([item, count]): Scored => [item, below * (count / (1 + largest))]);
    const list = [...found, ...fill].slice(0, topK);
    return { ...row, items: list.map(([item]) => item), scores: list.map(([, score]) => score) };
  });
}

/** The most similar items of one, computed when they are first asked for. */
function neighbourFinder(
  train: readonly Row[],
  most: number,
  shrinkage: number,
  place: ReadonlyMap<number, number>,
): (item: number) => Scored[] {
  const itemsOf = new Map<string, Set<number>>();
  for (const { user, history, target } of train) {
    const own = itemsOf.get(user) ?? new Set();
    for (const item of history) own.add(item);
    itemsOf.set(user, own.add(target));
  }
  const usersOf = new Map<number, string[]>();
  for (const [user, own] of itemsOf) {
    for (const item of own) {
      const users = usersOf.get(item);
      if (users) users.push(user);
      else usersOf.set(item, [user]);
    }
  }
  const known = new Map<number, Scored[]>();
  return (item) => {
    const done = known.get(item);
    if (done) return done;
    const users = usersOf.get(item) ?? [];
    const both = new Map<number, number>();
    for (const user of users) {
      for (const other of itemsOf.get(user)!) if (other !== item) both.set(other, (both.get(other) ?? 0) + 1);
    }
    const similar = [...both].map(([other, count]): Scored => {
      const length = Math.sqrt(users.length * usersOf.get(other)!.length);
      return [other, count / (length + shrinkage)];
    });
    const nearest = inOrder(similar, place).slice(0, most);
    known.set(item, nearest);
    return nearest;
  };
}

/** Highest first; ties to the item that is more popular. */
function inOrder(scored: Scored[], place: ReadonlyMap<number, number>): Scored[] {
  return scored.sort((a, b) => b[1] - a[1] || place.get(a[0])! - place.get(b[0])!);
}

/** The same as one of `BASELINES`. */
export const ITEM_KNN = {
  name: 'item-knn',
  help: 'the items that were bought by the same users as those of the history',
  options: {
    neighbours: integer('neighbours of each item, the most similar', { default: 100 }),
    shrinkage: number('the larger, the less a similarity of few users counts', { default: 10, min: 0 }),
  },
  rank: itemKnn,
} as const satisfies Baseline;
