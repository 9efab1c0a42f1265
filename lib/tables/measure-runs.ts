/** What the runs of a table's row measured together. */
import { rankMetrics } from '../evaluate/metrics.js';
import { itemRank } from '../evaluate/rows/ranks.js';
import { metricIntervals, withRanks } from '../evaluate/statistics/intervals.js';
import { largest, smallest } from '../support/extremes.js';
import type { FoundRun } from './find-runs.js';
import type { SortedRuns } from './sort-runs.js';

/** What runs of several seeds measured together. */
export interface Measured {
  /** Over all rows of all seeds. */
  mean: Record<string, number>;
  /** 95 % bootstrap intervals over users, each with its rows of all seeds. */
  intervals: Record<string, readonly [low: number, high: number]>;
  /** Smallest and largest of the seeds. */
  spread: Record<string, readonly [least: number, most: number]>;
  /** Seeds whose results are of other data than those of today alone. */
  stale: number;
  runs: readonly Omit<FoundRun, 'inputs'>[];
}

/** The ks of metrics such as `HR@10`. */
export function ksOf(metrics: readonly string[]): number[] {
  return [...new Set(metrics.map((metric) => Number(metric.split('@')[1])))];
}

/** How long a list must be for them. */
export function longestOf(metrics: readonly string[]): number {
  return largest(ksOf(metrics));
}

/** @param metrics such as `HR@10` @returns undefined where no run is fresh */
export function measureRuns({ fresh, stale }: SortedRuns, metrics: readonly string[]): Measured | undefined {
  if (fresh.length === 0) return undefined;
  const ks = ksOf(metrics);
  const each = fresh.map(({ results }) => rankMetrics(results.map(itemRank), ks));
  const rows = fresh.flatMap(({ results }) => withRanks(results, itemRank));
  const ofSeeds = (metric: string): number[] => each.map((one) => one[metric]!);
  return {
    mean: Object.fromEntries(metrics.map((m) => [m, ofSeeds(m).reduce((sum, x) => sum + x, 0) / each.length])),
    intervals: metricIntervals(rows, ks),
    spread: Object.fromEntries(metrics.map((m) => [m, [smallest(ofSeeds(m)), largest(ofSeeds(m))]])),
    stale: stale.length,
    runs: fresh.map(({ run: { inputs: _inputs, ...run } }) => run),
  };
}
