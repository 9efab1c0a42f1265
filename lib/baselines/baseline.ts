/** What a baseline is: one of `BASELINES`, or an object of your own in a notebook cell. */
import type { Row } from '../data/dataset.js';
import type { Result } from '../evaluate/results-file.js';
import type { Options } from '../options/option.js';

/** Options that every baseline takes. */
export interface BaselineOptions {
  /** Length of the lists; shorter where fewer items were seen. Default 50. */
  topK?: number;
}

/** @typeParam N its name */
export interface Baseline<N extends string = string> {
  /** What reports and tables call it; part of a file's path. */
  readonly name: N;
  /** What it ranks by, in one line. */
  readonly help: string;
  /** Its own options, beside `topK`, checked before it runs. Default none. */
  readonly options?: Options;
  /**
   * Ranks items for each test row, best first.
   * @param train rows in order of time @param options `topK` and its own, with their defaults
   * @returns one result a row, in the order of `test`
   */
  rank(train: readonly Row[], test: readonly Row[], options: BaselineOptions): Result[] | Promise<Result[]>;
}
