/**
 * What the lists are like, whatever their targets: how much of the catalogue they use, how popular what they hold is,
 * how often they repeat the history. They describe all rows together, so that no interval is given beside them: coverage
 * and concentration of a resample with repeats are not those of a new sample.
 */
import type { RowEntry } from '../rows/row-table.js';
import type { Measure } from './measure.js';

/** Times that each item is among the first k. Ids that no item has are passed over. @param items in the catalogue */
export function exposure(table: readonly RowEntry[], k: number, items: number): Int32Array {
  const counts = new Int32Array(items);
  for (const row of table) {
    const most = Math.min(k, row.items.length);
    for (let i = 0; i < most; i++) {
      const id = row.items[i]!;
      if (id >= 0 && id < items) counts[id]!++;
    }
  }
  return counts;
}

/** Share of the catalogue that is among the first k of some row (RecBole's ItemCoverage). */
export function coverage(table: readonly RowEntry[], k: number, items: number): number {
  let seen = 0;
  for (const count of exposure(table, k, items)) if (count > 0) seen++;
  return seen / Math.max(1, items);
}

/**
 * Gini index of counts: 0 where all are equal, towards 1 where one has everything;
 * (sum over i of (2 i - n - 1) x_i) / (n sum x) for x in rising order, i from 1 (RecBole's GiniIndex). All 0: 0.
 * @example gini([0, 0, 0, 4]) // 0.75
 */
export function gini(counts: ArrayLike<number>): number {
  const sorted = Float64Array.from(counts).sort();
  let [sum, weighted] = [0, 0];
  sorted.forEach((x, i) => {
    sum += x;
    weighted += (2 * (i + 1) - sorted.length - 1) * x;
  });
  return sum === 0 ? 0 : weighted / (sorted.length * sum);
}

/** How popular what is recommended is, beside what was bought. */
export interface PopularityBias {
  /** Mean percentile of the items among the first k, in [0, 1]. */
  recommended: number;
  /** Mean percentile of the targets. */
  targets: number;
  /** The first less the second: above 0 the lists are more popular than what was bought. */
  bias: number;
}

/** @param percentiles of each item, from `popularityPercentiles` */
export function popularityBias(table: readonly RowEntry[], k: number, percentiles: ArrayLike<number>): PopularityBias {
  let [sum, count, targets] = [0, 0, 0];
  for (const { items, target } of table) {
    targets += percentiles[target] ?? 0;
    for (let i = 0; i < Math.min(k, items.length); i++) {
      const percentile = percentiles[items[i]!];
      if (percentile === undefined) continue;
      sum += percentile;
      count++;
    }
  }
  const recommended = sum / Math.max(1, count);
  const bought = targets / Math.max(1, table.length);
  return { recommended, targets: bought, bias: recommended - bought };
}

/** Of a row: the share of the first k items that are in its history; of an empty list 0. */
export function repeatShare(k: number): Measure {
  return ({ items, history }) => {
    const first = items.slice(0, k);
    return first.filter((id) => history.includes(id)).length / Math.max(1, first.length);
  };
}

/** Of a row: 1 where its target is in its history. */
export const targetRepeats: Measure = ({ target, history }) => Number(history.includes(target));
