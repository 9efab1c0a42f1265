/**
 * Which rows a mini-batch has: runs of neighbouring rows, shuffled, so that a file is read in long pieces and a batch comes
 * from many places of it.
 */
import type { RowSource } from '../../files/npy-rows.js';
import type { Vectors } from '../../files/npy.js';
import type { Random } from '../../support/random.js';

/** Rows that are read at once. */
const RUN = 256;

/** Rows of one batch: where each of its runs begins and how many rows it has. */
export type Runs = readonly (readonly [first: number, count: number])[];

/** All rows once, in batches of about `size`. */
export function batchesOfRuns(rows: number, size: number, random: Random): Runs[] {
  const run = Math.min(RUN, size);
  const starts = random.shuffle(Array.from({ length: Math.ceil(rows / run) }, (_, i) => i * run));
  const runs = starts.map((first) => [first, Math.min(run, rows - first)] as const);
  const each = Math.floor(size / run);
  return Array.from({ length: Math.ceil(runs.length / each) }, (_, i) => runs.slice(i * each, (i + 1) * each));
}

/** At most `count` rows, drawn one by one without repetition, in the order of the file. */
export function singleRows(rows: number, count: number, random: Random): Runs {
  const order = random.shuffle([...Array(rows).keys()]).slice(0, count);
  return order.sort((a, b) => a - b).map((row) => [row, 1] as const);
}

/** The rows of some runs, end to end [B, D]. @param block rows `first` to `first + count` */
export function rowsOfRuns(block: RowSource['block'], runs: Runs, width: number): Vectors {
  const rows = runs.reduce((sum, [, count]) => sum + count, 0);
  const data = new Float32Array(rows * width);
  let at = 0;
  for (const [first, count] of runs) {
    data.set(block(first, count).data, at * width);
    at += count;
  }
  return { rows, width, data };
}
