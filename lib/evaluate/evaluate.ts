/**
 * Ranks the catalogue for every row by constrained beam search, and reports hit rate and NDCG by item and by SID.
 */
import type { Row } from '../data/dataset.js';
import { beamSearch } from '../decode/beam-search.js';
import { startProgress } from '../support/progress.js';
import { checkResults, itemMetrics, type Metrics, sidMetrics } from './metrics.js';
import type { Recommender } from './recommender.js';
import type { Result } from './results-file.js';
import { defineOptions } from '../options/schema.js';
import { RANK_OPTIONS, type RankOptions } from './evaluate-options.js';

const SCHEMA = defineOptions('evaluate', RANK_OPTIONS);

export interface EvaluateReport {
  rows: number;
  beams: number;
  invalid: number;
  duplicates: number;
  item: Metrics;
  sid: Metrics;
  usersPerSecond: number;
}

/** One result a row, in the order of the rows. */
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
  const order = [...rows.keys()].sort((a, b) => rows[a]!.history.length - rows[b]!.history.length || a - b);
  const results = new Array<Result>(rows.length);
  for (let at = 0; at < order.length; at += batchSize) {
    const batch = order.slice(at, at + batchSize);
    const prompts = batch.map((r) => render.prompt(rows[r]!.history, rows[r]!.target));
    beamSearch(model, trie, prompts, beamOptions).forEach((ranking, i) => {
      const { user, history, target } = rows[batch[i]!]!;
      results[batch[i]!] = { user, history, target, ...ranking };
    });
    progress.tick(batch.length);
    await new Promise(setImmediate); // computing blocks the event loop: let plots draw and interrupts arrive
  }
  progress.end();
  return results;
}

/** @returns the report, and the results that it was computed from */
export async function evaluate(
  recommender: Recommender,
  rows: readonly Row[],
  options: RankOptions = {},
): Promise<{ report: EvaluateReport; results: Result[] }> {
  const start = performance.now();
  const results = await rankRows(recommender, rows, options);
  const seconds = (performance.now() - start) / 1000;
  const { invalid, duplicates } = checkResults(results, recommender.index.length);
  const report = {
    rows: rows.length,
    beams: options.numBeams ?? 50,
    invalid,
    duplicates,
    item: itemMetrics(results),
    sid: sidMetrics(results, recommender.index),
    usersPerSecond: rows.length / seconds,
  };
  return { report, results };
}
