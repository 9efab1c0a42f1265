/** The `baseline` stage: a data folder -> `results.jsonl` of a baseline on the test rows, and its metrics. */
import { join } from 'node:path';
import type { Row } from '../data/dataset.js';
import { loadDataset } from '../data/load.js';
import { itemMetrics, ksUpTo, type Metrics } from '../evaluate/metrics.js';
import { type Result, writeResults } from '../evaluate/results-file.js';
import { type BaselineOptions, popularity } from './popularity.js';
import { transition } from './transition.js';
import { BASELINE_OPTIONS, type BaselineName, type BaselineStageOptions } from './baseline-options.js';

/** The baselines by name: training and test rows -> a ranked list for each test row. */
export const BASELINES = { popularity, transition } as const satisfies Record<
  BaselineName,
  (train: readonly Row[], test: readonly Row[], options?: BaselineOptions) => Result[]
>;
/** What `baselineStage` gives back: metrics of the baseline on the test rows, and where its results are. */
export interface BaselineReport {
  /** Of the baseline. */
  name: BaselineName;
  /** Test rows that were ranked. */
  rows: number;
  /** Metrics of the ranked items. */
  item: Metrics;
  /** File that was written. */
  results: string;
  /** Of the stage. */
  seconds: number;
}

/** @throws InputError for an unknown name, or data that do not fit; nothing is written then */
export async function baselineStage(options: BaselineStageOptions): Promise<BaselineReport> {
  const start = performance.now();
  const {
    name,
    data,
    dataset,
    topK,
    results = join(data, 'runs', `baseline-${name}`, 'results.jsonl'),
  } = BASELINE_OPTIONS.parse(options);
  const { train, test } = await loadDataset(data, dataset);
  const ranked = BASELINES[name](train, test, { topK });
  writeResults(results, ranked);
  return {
    name,
    rows: test.length,
    item: itemMetrics(ranked, ksUpTo(topK)),
    results,
    seconds: (performance.now() - start) / 1000,
  };
}
