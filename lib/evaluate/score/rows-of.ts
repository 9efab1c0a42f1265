/** Which rows of a data folder a table has, whoever ranked them. */
import type { Dataset } from '../../data/dataset.js';
import { rowTimes, TIMED_SPLITS, type TimedSplit } from '../../data/row-times.js';
import type { RowEntry } from '../rows/row-table.js';
import { otherRow } from '../statistics/compare.js';

/** The first so many rows of a split. */
export interface RowsOf {
  split: TimedSplit;
  /** Rows of the split, all of them. */
  rows: number;
}

/** @returns undefined for other rows than the first of a split: a share, a control, a task about items */
export function rowsOf(table: readonly RowEntry[], dataset: Dataset): RowsOf | undefined {
  const split = TIMED_SPLITS.find(
    (name) =>
      table.length <= dataset[name].length && otherRow(table, dataset[name].slice(0, table.length)) === undefined,
  );
  return split && { split, rows: dataset[split].length };
}

/** Gives the entries of a split's first rows their times, where the data folder has them. */
export function addTimes(table: readonly RowEntry[], dataset: Dataset, { split }: RowsOf): void {
  const times = rowTimes(dataset, split);
  if (times) table.forEach((entry, i) => (entry.time = times[i]!));
}
