/** The metrics of an evaluation with their intervals, wherever they are reported or written. */
import type { SidIndex } from '../data/sid-index.js';
import { ksUpTo } from './measures/ranking.js';
import { itemMetrics, type Metrics, sidMetrics } from './metrics.js';
import type { Result } from './results-file.js';
import { itemRank, sidRanker } from './rows/ranks.js';
import { type Intervals, metricIntervals, withRanks } from './statistics/intervals.js';

/** Metrics and intervals. */
export interface Measured {
  /** By item: HR@k and NDCG@k for k up to the beams. */
  item: Metrics;
  /** By SID, for the same k. */
  sid: Metrics;
  /** 95 % bootstrap intervals of both, over users. */
  intervals: { item: Intervals; sid: Intervals };
}

/** The same where there may be no index: then nothing is by SID. */
export type MeasuredByItem = Pick<Measured, 'item'> &
  Partial<Pick<Measured, 'sid'>> & { intervals: Pick<Measured['intervals'], 'item'> & Partial<Measured['intervals']> };

/** @param beams of the search */
export function measureResults(results: readonly Result[], beams: number, index: SidIndex): Measured;
/** Without an index nothing is by SID. */
export function measureResults(results: readonly Result[], beams: number, index?: SidIndex): MeasuredByItem;
/** Both of them. */
export function measureResults(results: readonly Result[], beams: number, index?: SidIndex): MeasuredByItem {
  const ks = ksUpTo(beams);
  return {
    item: itemMetrics(results, ks),
    ...(index && { sid: sidMetrics(results, index, ks) }),
    intervals: {
      item: metricIntervals(withRanks(results, itemRank), ks),
      ...(index && { sid: metricIntervals(withRanks(results, sidRanker(index)), ks) }),
    },
  };
}
