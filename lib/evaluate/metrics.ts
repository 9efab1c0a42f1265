/**
 * Hit rate and NDCG of ranked lists with one relevant item (Järvelin & Kekäläinen, TOIS 2002; ideal gain 1).
 *
 * Departures from MiniOneRec:
 *   1. a hit is an item hit; comparing SID strings counts items that share a SID for each other, and is beside
 *      it as `sidMetrics`;
 *   2. invalid and duplicate items are counted over the whole list, and each takes up its rank.
 */
import type { SidIndex } from '../data/sid-index.js';
import { checkK, GAINS, KS } from './measures/ranking.js';
import type { Result } from './results-file.js';
import { itemRank, sidRanker } from './rows/ranks.js';

/** `HR@10` and the like -> a mean over rows, in [0, 1]. */
export type Metrics = Record<string, number>;

/**
 * HR@k = share of rows whose target is among the first k; NDCG@k = mean of 1 / log2(rank + 1) over the same rows, 0
 * elsewhere. Ranks count from 1; an item that comes twice counts where it comes first. A list shorter than k is
 * taken as it is. No rows: all 0.
 *
 * @example itemMetrics([{ user: 'A', history: [0], target: 5, items: [7, 5], scores: [2, 1] }], [1, 3])
 * // { 'HR@1': 0, 'NDCG@1': 0, 'HR@3': 1, 'NDCG@3': 0.6309 } since 1 / log2(3) = 0.6309
 */
export function itemMetrics(results: readonly Result[], ks: readonly number[] = KS): Metrics {
  return rankMetrics(results.map(itemRank), ks);
}

/**
 * The same by the ranks of `sidRanker`: a hit is the target's SID, ranks count distinct SIDs.
 * @example with index [[a], [a], [b]], target 2 and items [0, 1, 2]: item rank 3, SID rank 2
 */
export function sidMetrics(results: readonly Result[], index: SidIndex, ks: readonly number[] = KS): Metrics {
  return rankMetrics(results.map(sidRanker(index)), ks);
}

/**
 * @param ranks of the targets, from 1; 0 where the target is not in the list
 * @example rankMetrics([1, 0], [1]) // { 'HR@1': 0.5, 'NDCG@1': 0.5 }
 */
export function rankMetrics(ranks: readonly number[], ks: readonly number[] = KS): Metrics {
  const metrics: Metrics = {};
  for (const k of ks) {
    checkK(k);
    for (const name of ['HR', 'NDCG'] as const) {
      let sum = 0;
      for (const rank of ranks) sum += GAINS[name](rank, k);
      metrics[`${name}@${k}`] = sum / Math.max(1, ranks.length);
    }
  }
  return metrics;
}

/** What is wrong with lists, whatever their targets. */
export interface ResultChecks {
  /** Lists. */
  rows: number;
  /** Entries that are no item: not a whole number from 0 to items - 1. */
  invalid: number;
  /** Entries that occur earlier in their own list. */
  duplicates: number;
}

/** @param items number of items in the catalogue */
export function checkResults(results: readonly Result[], items: number): ResultChecks {
  let invalid = 0;
  let duplicates = 0;
  for (const result of results) {
    invalid += result.items.filter((id) => !(Number.isInteger(id) && id >= 0 && id < items)).length;
    duplicates += result.items.length - new Set(result.items).size;
  }
  return { rows: results.length, invalid, duplicates };
}
