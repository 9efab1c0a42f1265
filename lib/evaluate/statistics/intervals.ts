/** Metrics with their intervals: what would come out for other users of the same kind, the model as it is. */
import type { Measures } from '../measures/measure.js';
import { rankGains } from '../measures/ranking.js';
import type { RowEntry } from '../rows/row-table.js';
import { bootstrapMeans, type BootstrapOptions, type Interval, percentileInterval } from './bootstrap.js';
import { measureRows, rankUnits, type Units, unitMeans, unitsOf } from './units.js';

/** A metric and its interval. */
export interface Estimate {
  /** Over all rows. */
  mean: number;
  /** Lower end of the interval. */
  low: number;
  /** Upper end. */
  high: number;
}

/** Options of `estimates` and `metricIntervals`. */
export interface IntervalOptions extends BootstrapOptions {
  /** Share of intervals that hold the true value. Default 0.95. */
  level?: number;
}

/** `HR@10` and the like -> the ends of its interval. */
export type Intervals = Record<string, Interval>;

/**
 * The mean of each measure over the rows, with its percentile bootstrap interval over users.
 * @example estimates(table, { 'HR@10': hitRate(10) }) // { 'HR@10': { mean: 0.131, low: 0.118, high: 0.145 } }
 */
export function estimates(
  table: readonly RowEntry[],
  measures: Measures,
  options: IntervalOptions = {},
): Record<string, Estimate> {
  const names = Object.keys(measures);
  return estimateUnits(unitsOf(table, measureRows(table, measures), names.length), names, options);
}

/** The same of users that are already summed up. @param names of the measures, in their order */
export function estimateUnits(
  units: Units,
  names: readonly string[],
  options: IntervalOptions = {},
): Record<string, Estimate> {
  const { level, ...bootstrap } = options;
  const means = unitMeans(units);
  const samples = bootstrapMeans(units, bootstrap);
  return Object.fromEntries(
    names.map((name, m) => {
      const [low, high] = percentileInterval(samples, m, names.length, level);
      return [name, { mean: means[m]!, low, high }];
    }),
  );
}

/** Intervals alone, for a report that has the metrics already. @param ks of HR and NDCG by item */
export function metricIntervals(
  rows: readonly Pick<RowEntry, 'user' | 'rank'>[],
  ks: readonly number[],
  options: IntervalOptions = {},
): Intervals {
  const gains = rankGains(ks, ['HR', 'NDCG']);
  const units = rankUnits(rows, rows.map(({ rank }) => rank), Object.values(gains)); // prettier-ignore
  const found = estimateUnits(units, Object.keys(gains), options);
  return Object.fromEntries(Object.entries(found).map(([name, { low, high }]) => [name, [low, high]]));
}

/** Users and ranks of results. @param rank of one: `itemRank`, or a `sidRanker` */
export function withRanks<R extends { user: string }>(
  results: readonly R[],
  rank: (result: R) => number,
): { user: string; rank: number }[] {
  return results.map((result) => ({ user: result.user, rank: rank(result) }));
}
