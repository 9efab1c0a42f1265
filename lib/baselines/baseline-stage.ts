/**
 * The `baseline` stage: a data folder -> `results.jsonl` of a baseline on the test rows, `results.json` that says what
 * they are of, and its metrics.
 */
import { join } from 'node:path';
import type { Dataset } from '../data/dataset.js';
import { partView } from '../data/join/parts.js';
import { loadDataset } from '../data/load.js';
import { joinedResults, partFile, type PartResults } from '../evaluate/apart/joined-results.js';
import { ksUpTo } from '../evaluate/measures/ranking.js';
import { checkResults, itemMetrics, type Metrics } from '../evaluate/metrics.js';
import { type Result, writeResults } from '../evaluate/results-file.js';
import { lengthWithHistory, withoutHistory } from '../evaluate/rows/without-history.js';
import { itemRank } from '../evaluate/rows/ranks.js';
import { type Intervals, metricIntervals, withRanks } from '../evaluate/statistics/intervals.js';
import type { RunFolderOptions } from '../runs/run-folder.js';
import { checkTarget } from '../files/files.js';
import { InputError } from '../support/errors.js';
import type { TrainReport } from '../train/loop/loop-options.js';
import { BASELINE_OPTIONS, type BaselineStageOptions } from './baseline-options.js';
import { viewsOf } from './apart.js';
import type { Baseline, BaselineContext, BaselineOptions, Ranked } from './baseline.js';
import { baselineOf } from './baselines.js';
import { baselineResults, resultsRecord, writeRecord } from './results-record.js';

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
  /** Of a joined folder, whose rows are ranked among the items of their own data sets: each data set's. */
  parts?: Record<string, BaselineReport>;
  seconds: number;
}

/**
 * @throws InputError for an unknown name, data that do not fit, or a baseline whose results are not lists of items, one
 *   a test row; nothing is written then
 * @param stale what becomes of a trained run on other data; default it is refused
 */
export async function baselineStage(
  options: BaselineStageOptions,
  stale: Pick<RunFolderOptions, 'whenStale'> = {},
): Promise<BaselineReport> {
  const start = performance.now();
  const {
    baseline,
    data,
    dataset: found,
    part,
    results: given,
    excludeHistory,
    ...rest
  } = BASELINE_OPTIONS.parse(options);
  const own = baselineOf(baseline);
  const joined = await loadDataset(data, found);
  const apart = joined.parts !== undefined && part === undefined;
  const views = apart ? viewsOf(joined) : [partView(joined, part)];
  const called = part === undefined ? own.name : `${own.name}-${part}`;
  const { run = join(data, 'runs', `baseline-${called}`) } = rest as { run?: string };
  const results = given ?? join(run, baselineResults(excludeHistory));
  checkTarget(results, '--results'); // before a baseline is trained
  const record = resultsRecord(own, joined, { ...rest, excludeHistory, ...(part !== undefined && { part }) });
  const ks = ksUpTo(rest.topK);
  const ranked: PartResults[] = [];
  const reports: Record<string, BaselineReport> = {};
  for (const { dataset, firstItem } of views) {
    const began = performance.now();
    const { name } = dataset;
    const folder = apart ? join(run, name) : run;
    const {
      results: lists,
      training,
      precision,
    } = await rankOne(
      own,
      { ...rest, excludeHistory },
      {
        dataset,
        joined: { dataset: joined, firstItem },
        run: folder,
        ...stale,
      },
    );
    if (precision === 'bfloat16') record.precision = precision; // as a run's config.json has it
    ranked.push({ name, firstItem, results: lists });
    const file = apart ? partFile(results, name) : results;
    writeResults(file, lists);
    if (apart) writeRecord(file, { ...record, part: name }); // its ids are those that the data set has alone
    reports[name] = reportOf(own.name, lists, ks, file, began, training);
  }
  const all = apart ? joinedResults(ranked) : [];
  if (apart) writeResults(results, all);
  writeRecord(results, record);
  if (!apart) return Object.values(reports)[0]!;
  return { ...reportOf(own.name, all, ks, results, start), parts: reports };
}

/** @throws InputError for lists that do not fit the rows */
async function rankOne(
  own: Baseline,
  { excludeHistory, ...options }: BaselineOptions & { topK: number; excludeHistory: boolean },
  context: BaselineContext,
): Promise<Ranked> {
  const { train, test } = context.dataset;
  const { topK } = options;
  const wider = own.excludesHistory ? { excludeHistory } : { topK: lengthWithHistory(test, topK) };
  const ranked = await own.rank(train, test, { ...options, ...(excludeHistory && wider) }, context);
  const report = isReport(ranked) ? ranked : { results: ranked };
  checkLists(own.name, report.results, context.dataset);
  if (!excludeHistory) return report;
  const results = report.results.map((list, i) => ({ ...list, history: test[i]!.history })); // one's own may say another
  return { ...report, results: withoutHistory(results, topK) };
}

function reportOf(
  name: string,
  lists: readonly Result[],
  ks: readonly number[],
  results: string,
  start: number,
  training?: TrainReport,
): BaselineReport {
  return {
    ...{ name, rows: lists.length, results },
    item: itemMetrics(lists, ks),
    intervals: metricIntervals(withRanks(lists, itemRank), ks),
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
