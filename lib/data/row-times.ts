/**
 * `NAME.{train,valid,test}.times`: when the targets of those rows were bought, a line each in the order of the rows, seconds since
 * 1970 in UTC. A file of its own, so that `.inter` stays as MiniOneRec and RecBole read it; no file where the source has no
 * times, nor in folders of others. Metrics by month
 * and weights of training rows by their age come from it.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readText } from '../files/files.js';
import { InputError } from '../support/errors.js';
import type { Dataset, Split } from './dataset.js';

/** The splits that have times, those that are evaluated first. */
export const TIMED_SPLITS = ['valid', 'test', 'train'] as const satisfies readonly Split[];

/** A split that may have times. */
export type TimedSplit = (typeof TIMED_SPLITS)[number];

/** Where the times of a split's rows are. */
export function timesFile(dir: string, name: string, split: TimedSplit): string {
  return join(dir, `${name}.${split}.times`);
}

/**
 * Milliseconds since 1970 of each row's target; undefined where the folder has no times.
 * @throws InputError for a file that has not a time for each row
 */
export function rowTimes(dataset: Dataset, split: TimedSplit): Float64Array | undefined {
  const file = timesFile(dataset.dir, dataset.name, split);
  if (!existsSync(file)) return undefined;
  const lines = readText(file).split('\n').slice(0, -1);
  const rows = dataset[split].length;
  const times = Float64Array.from(lines, (line) => (line === '' ? NaN : 1000 * Number(line)));
  const bad = times.findIndex((time) => !Number.isFinite(time));
  if (bad >= 0) throw new InputError(`${file}:${bad + 1}: expected seconds, got ${JSON.stringify(lines[bad])}; run sidlab filter again`); // prettier-ignore
  if (times.length === rows) return times;
  throw new InputError(`${file}: expected ${rows} times, one a row, got ${times.length}; run sidlab filter again`);
}
