/**
 * Ranks the catalogue for every row by constrained beam search, and reports hit rate and NDCG by item and by SID.
 */
import type { Row } from '../data/dataset.js';
import type { SidIndex } from '../data/sid-index.js';
import { NUM_BEAMS } from '../decode/beam-search.js';
import { type Measured, measureResults } from './measure-results.js';
import { checkResults } from './metrics.js';
import type { Recommender } from './recommender.js';
import type { Result } from './results-file.js';
import type { RankOptions } from './evaluate-options.js';
import { rankRows } from './rank-rows.js';

/** What an evaluation measured. */
export interface EvaluateReport extends Measured {
  /** Rows ranked. */
  rows: number;
  /** Beams of the search, and at most so many items a row. */
  beams: number;
  /** Entries of the lists that are no item. */
  invalid: number;
  /** Entries of the lists that occur earlier in their own list. */
  duplicates: number;
  /** Rows by wall-clock time. */
  usersPerSecond: number;
}

/**
 * Ranks and measures. HR@k and NDCG@k are reported for k up to the number of beams: a list of ten says nothing of HR@20.
 * @returns the report, and the results that it was computed from
 * @throws NonFiniteScores (an InputError) that names the row, if its scores are NaN or infinite
 */
export async function evaluate(
  recommender: Recommender,
  rows: readonly Row[],
  options: RankOptions = {},
): Promise<{ report: EvaluateReport; results: Result[] }> {
  const { numBeams: beams = NUM_BEAMS } = options;
  const start = performance.now();
  const results = await rankRows(recommender, rows, { ...options, numBeams: beams });
  return { report: reportOf(results, recommender.index, beams, (performance.now() - start) / 1000), results };
}

/** What some results measure. @param beams of the search @param seconds that it took */
export function reportOf(results: readonly Result[], index: SidIndex, beams: number, seconds: number): EvaluateReport {
  const { invalid, duplicates } = checkResults(results, index.length);
  return {
    ...{ rows: results.length, beams, invalid, duplicates },
    ...measureResults(results, beams, index),
    usersPerSecond: results.length / seconds,
  };
}
