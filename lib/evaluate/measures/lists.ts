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

/**
 * Shannon entropy of counts, -sum p log p in nats: 0 where one item has everything, log n where n have as much each.
 * RecBole's ShannonEntropy is this by the number of items that are recommended at all.
 * @example entropy([2, 2, 0]) // 0.6931
 */
export function entropy(counts: ArrayLike<number>): number {
  let [sum, weighted] = [0, 0];
  for (let i = 0; i < counts.length; i++) {
    const x = counts[i]!;
    if (x === 0) continue;
    sum += x;
    weighted += x * Math.log(x);
  }
  return sum === 0 ? 0 : Math.log(sum) - weighted / sum;
}

/** Of a row: mean number of training purchases of the first k items (RecBole's AveragePopularity); of an empty list 0. */
export function averagePopularity(k: number, counts: ArrayLike<number>): Measure {
  return meanOfFirst(k, (id) => counts[id] ?? 0);
}

/**
 * The least popular items: of those that were bought at all, the share that was bought least, at least one; ties to the
 * smaller id (the tail of RecBole's TailPercentage).
 * @param counts of the training rows, by item
 * @example leastPopular([3, 0, 1, 2], 0.5) // Set { 2 }: of the items 2, 3 and 0, in this order, floor(1.5)
 */
export function leastPopular(counts: ArrayLike<number>, share = 0.1): Set<number> {
  const bought = Array.from(counts, (count, id) => ({ count, id })).filter(({ count }) => count > 0);
  const order = bought.sort((a, b) => a.count - b.count || a.id - b.id);
  return new Set(order.slice(0, Math.max(1, Math.floor(order.length * share))).map(({ id }) => id));
}

/** Of a row: the share of the first k items that are in the tail (RecBole's TailPercentage); of an empty list 0. */
export function tailShare(k: number, tail: ReadonlySet<number>): Measure {
  return meanOfFirst(k, (id) => Number(tail.has(id)));
}

function meanOfFirst(k: number, value: (id: number) => number): Measure {
  return ({ items }) => {
    const most = Math.min(k, items.length);
    let sum = 0;
    for (let i = 0; i < most; i++) sum += value(items[i]!);
    return sum / Math.max(1, most);
  };
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
  return (row) => meanOfFirst(k, (id) => Number(row.history.includes(id)))(row);
}

/** Of a row: 1 where its target is in its history. */
export const targetRepeats: Measure = ({ target, history }) => Number(history.includes(target));
