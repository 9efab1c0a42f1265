/**
 * Ranks the catalogue for every row by constrained beam search, and reports hit rate and NDCG by item and by SID.
 */
import type { Row } from '../data/dataset.js';
import { beamSearch, NUM_BEAMS } from '../decode/beam-search.js';
import { namingRows } from '../decode/finite-scores.js';
import { startProgress } from '../support/progress.js';
import { ksUpTo } from './measures/ranking.js';
import { checkResults, itemMetrics, type Metrics, sidMetrics } from './metrics.js';
import type { Recommender } from './recommender.js';
import type { Result } from './results-file.js';
import { itemRank, sidRanker } from './rows/ranks.js';
import { type Intervals, metricIntervals, withRanks } from './statistics/intervals.js';
import { defineOptions } from '../options/schema.js';
import { RANK_OPTIONS, type RankOptions } from './evaluate-options.js';

const SCHEMA = defineOptions('evaluate', RANK_OPTIONS);

/** What an evaluation measured. */
export interface EvaluateReport {
  /** Rows ranked. */
  rows: number;
  /** Beams of the search, and at most so many items a row. */
  beams: number;
  /** Entries of the lists that are no item. */
  invalid: number;
  /** Entries of the lists that occur earlier in their own list. */
  duplicates: number;
  /** By item: HR@k and NDCG@k for k up to `beams`. */
  item: Metrics;
  /** By SID, for the same k. */
  sid: Metrics;
  /** 95 % bootstrap intervals of both, over users. */
  intervals: { item: Intervals; sid: Intervals };
  /** Rows by wall-clock time. */
  usersPerSecond: number;
}

/**
 * One result a row, in the order of the rows.
 * @throws NonFiniteScores (an InputError) that names the row, if its scores are NaN or infinite
 */
export async function rankRows(
  recommender: Recommender,
  rows: readonly Row[],
  options: RankOptions = {},
): Promise<Result[]> {
  const { label = 'evaluate', ...given } = options;
  const { batchSize, ...beamOptions } = SCHEMA.parse(given);
  const { model, trie, render } = recommender;
  const progress = startProgress(label, rows.length, 'rows');
  // like lengths together, so that no short prompt pays for a long one
  const order = [...rows.keys()].sort((a, b) => rows[a]!.history.length - rows[b]!.history.length);
  const results = new Array<Result>(rows.length);
  for (let at = 0; at < order.length; at += batchSize) {
    const batch = order.slice(at, at + batchSize);
    const prompts = batch.map((r) => render.prompt(rows[r]!.history, rows[r]!.target));
    const rowName = (i: number): string =>
      `${label}: row ${batch[i]! + 1} of ${rows.length} (user ${JSON.stringify(rows[batch[i]!]!.user)})`;
    const rankings = namingRows(rowName, () => beamSearch(model, trie, prompts, beamOptions));
    rankings.forEach((ranking, i) => {
      const { user, history, target } = rows[batch[i]!]!;
      results[batch[i]!] = { user, history, target, ...ranking };
    });
    progress.tick(batch.length);
    await new Promise(setImmediate); // computing blocks the event loop: let plots draw and interrupts arrive
  }
  progress.end();
  return results;
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
  const seconds = (performance.now() - start) / 1000;
  const { invalid, duplicates } = checkResults(results, recommender.index.length);
  const ks = ksUpTo(beams);
  const report = {
    rows: rows.length,
    beams,
    invalid,
    duplicates,
    item: itemMetrics(results, ks),
    sid: sidMetrics(results, recommender.index, ks),
    intervals: {
      item: metricIntervals(withRanks(results, itemRank), ks),
      sid: metricIntervals(withRanks(results, sidRanker(recommender.index)), ks),
    },
    usersPerSecond: rows.length / seconds,
  };
  return { report, results };
}
