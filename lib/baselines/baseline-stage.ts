/** The `baseline` stage: a data folder -> `results.jsonl` of a baseline on the test rows, and its metrics. */
import { join } from 'node:path';
import type { Dataset } from '../data/dataset.js';
import { loadDataset } from '../data/load.js';
import { ksUpTo } from '../evaluate/measures/ranking.js';
import { checkResults, itemMetrics, type Metrics } from '../evaluate/metrics.js';
import { type Result, writeResults } from '../evaluate/results-file.js';
import { itemRank } from '../evaluate/rows/ranks.js';
import { type Intervals, metricIntervals, withRanks } from '../evaluate/statistics/intervals.js';
import { InputError } from '../support/errors.js';
import type { TrainReport } from '../train/loop/loop.js';
import { BASELINE_OPTIONS, type BaselineStageOptions } from './baseline-options.js';
import type { Ranked } from './baseline.js';
import { baselineOf } from './baselines.js';

/** What the stage measured, and where the results are. */
export interface BaselineReport {
  /** The baseline's name. */
  name: string;
  /** Test rows. */
  rows: number;
  /** By item: HR@k and NDCG@k. */
  item: Metrics;
  /** Their 95 % bootstrap intervals, over users. */
  intervals: Intervals;
  /** File. */
  results: string;
  /** Of a baseline that is trained: updates, time, best validation, model folder. */
  training?: TrainReport;
  seconds: number;
}

/**
 * @throws InputError for an unknown name, data that do not fit, or a baseline whose results are not lists of items, one
 *   a test row; nothing is written then
 */
export async function baselineStage(options: BaselineStageOptions): Promise<BaselineReport> {
  const start = performance.now();
  const { baseline, data, dataset: found, results: given, ...rest } = BASELINE_OPTIONS.parse(options);
  const own = baselineOf(baseline);
  const { name } = own;
  const { run = join(data, 'runs', `baseline-${name}`) } = rest as { run?: string };
  const results = given ?? join(run, 'results.jsonl');
  const dataset = await loadDataset(data, found);
  const ranked = await own.rank(dataset.train, dataset.test, rest, { dataset, run });
  const { results: lists, training } = isReport(ranked) ? ranked : { results: ranked };
  checkLists(name, lists, dataset);
  writeResults(results, lists);
  const ks = ksUpTo(rest.topK);
  return {
    name,
    rows: lists.length,
    item: itemMetrics(lists, ks),
    intervals: metricIntervals(withRanks(lists, itemRank), ks),
    results,
    ...(training && { training }),
    seconds: (performance.now() - start) / 1000,
  };
}

function isReport(ranked: Result[] | Ranked): ranked is Ranked {
  return typeof ranked === 'object' && !Array.isArray(ranked); // a baseline of one's own may give anything
}

/** Metrics and reports read the lists without asking who made them. */
function checkLists(name: string, lists: readonly Result[], { items, test }: Dataset): void {
  const bad = (got: string): InputError =>
    new InputError(
      `baseline ${name}: expected a list of items for each of ${test.length} test rows, got ${got}; mend it`,
    );
  if (!Array.isArray(lists) || lists.length !== test.length) {
    throw bad(Array.isArray(lists) ? `${lists.length} lists` : String(lists));
  }
  lists.forEach((list: Result, i) => {
    const { user, target, scores } = list;
    if (user !== test[i]!.user || target !== test[i]!.target) throw bad(`list ${i + 1} of another row`);
    if (scores.length !== list.items.length)
      throw bad(`${scores.length} scores of ${list.items.length} items in list ${i + 1}`);
    const { invalid, duplicates } = checkResults([list], items.length);
    if (invalid + duplicates > 0)
      throw bad(`list ${i + 1} with ${invalid > 0 ? 'an id that no item has' : 'an item twice'}`);
  });
}
