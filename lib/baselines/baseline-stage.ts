/** The `baseline` stage: a data folder -> `results.jsonl` of a baseline on the test rows, and its metrics. */
import { join } from 'node:path';
import type { Row } from '../data/dataset.js';
import { loadDataset } from '../data/load.js';
import { itemMetrics, ksUpTo, type Metrics } from '../evaluate/metrics.js';
import { type Result, writeResults } from '../evaluate/results-file.js';
import { type BaselineOptions, popularity } from './popularity.js';
import { transition } from './transition.js';
import { BASELINE_OPTIONS, type BaselineName, type BaselineStageOptions } from './baseline-options.js';

export const BASELINES = { popularity, transition } as const satisfies Record<
  BaselineName,
  (train: readonly Row[], test: readonly Row[], options?: BaselineOptions) => Result[]
>;
export interface BaselineReport {
  name: BaselineName;
  rows: number;
  item: Metrics;
  results: string;
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
