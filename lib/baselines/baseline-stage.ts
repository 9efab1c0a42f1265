/** The `baseline` stage: a data folder -> `results.jsonl` of a baseline on the test rows, and its metrics. */
import { join } from 'node:path';
import type { Row } from '../data/dataset.js';
import { loadDataset } from '../data/load.js';
import { itemMetrics, ksUpTo, type Metrics } from '../evaluate/metrics.js';
import { type Result, writeResults } from '../evaluate/results-file.js';
import { InputError } from '../support/errors.js';
import { type BaselineOptions, popularity } from './popularity.js';
import { transition } from './transition.js';

export const BASELINES = { popularity, transition } as const satisfies Record<
  string,
  (train: readonly Row[], test: readonly Row[], options?: BaselineOptions) => Result[]
>;
export type BaselineName = keyof typeof BASELINES;

export interface BaselineStageOptions extends BaselineOptions {
  name: BaselineName;
  /** Data folder. */
  data: string;
  /** NAME of its files; default as in `loadDataset`. */
  dataset?: string;
  /** Results file; default `runs/baseline-NAME/results.jsonl` in the data folder. */
  results?: string;
}

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
  const { name, data, results = join(data, 'runs', `baseline-${name}`, 'results.jsonl') } = options;
  if (!Object.hasOwn(BASELINES, name)) {
    throw new InputError(`baseline: expected one of ${Object.keys(BASELINES).join(', ')}, got ${String(name)}`);
  }
  const { k = 50 } = options;
  if (!Number.isInteger(k) || k < 1) throw new InputError(`baseline: expected k to be a positive integer, got ${k}`);
  const { train, test } = await loadDataset(data, options.dataset);
  const ranked = BASELINES[name](train, test, { k });
  writeResults(results, ranked);
  return {
    name,
    rows: test.length,
    item: itemMetrics(ranked, ksUpTo(k)),
    results,
    seconds: (performance.now() - start) / 1000,
  };
}
