/** What a baseline is: one of `BASELINES`, or an object of your own in a notebook cell. */
import type { Dataset, Row } from '../data/dataset.js';
import type { Result } from '../evaluate/results-file.js';
import type { Precision } from '../ops/precision.js';
import type { Options } from '../options/option.js';
import type { TrainReport } from '../train/loop/loop-options.js';

/** Options that every baseline takes. */
export interface BaselineOptions {
  /** Length of the lists; shorter where fewer items were seen. Default 50. */
  topK?: number;
  /** Of one that `excludesHistory`: no list has an item of its row's history. Default false. */
  excludeHistory?: boolean;
}

/** What a baseline that is trained reads and writes beside the rows. */
export interface BaselineContext {
  /** The data folder in memory, validation rows and item texts among it. */
  dataset: Dataset;
  /** Folder for what it keeps: model, checkpoints, metrics. Not there before the first run. */
  run: string;
  /** Of a data set of a joined folder: the whole, whose index names its items, and the id of the first of them there. */
  joined?: { dataset: Dataset; firstItem: number };
  /** What becomes of a run on other data. Default it is refused. */
  whenStale?: 'refuse' | 'replace';
}

/** Lists, and what was trained for them. */
export interface Ranked {
  /** One a test row, in their order. */
  results: Result[];
  /** Of a baseline that is trained. */
  training?: TrainReport;
  /** That it computed in, where it can be chosen. */
  precision?: Precision;
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
   * Does what `excludeHistory` says while it searches. Of others longer lists are asked for, and cut; where the length of a list
   * is the width of a search, that would be another search.
   */
  readonly excludesHistory?: true;
  /**
   * Ranks items for each test row, best first.
   * @param train rows in order of time @param options `topK` and its own, with their defaults
   * @returns one result a row, in the order of `test`, alone or with a report of its training
   */
  rank(
    train: readonly Row[],
    test: readonly Row[],
    options: BaselineOptions,
    context: BaselineContext,
  ): Result[] | Ranked | Promise<Result[] | Ranked>;
}
