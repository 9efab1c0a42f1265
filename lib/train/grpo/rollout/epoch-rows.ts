/** Which rows an epoch rolls out, and in which order: decided by the seed and the epoch's number alone. */
import { Random } from '../../../support/random.js';
import type { TaskSet } from '../../../tasks/task-set.js';
import type { TaskRow } from './rl-task.js';

/** How many rows, and the seed of their order. */
export interface EpochRowsOptions {
  /** Rows of the whole mix, drawn once by the seed; 0: all. */
  sampleSize: number;
  seed: number;
}

/**
 * The rows of each epoch. A task whose weight is no whole number has other rows every epoch, and so have rows that are
 * drawn by their weights, unless a sample is drawn.
 */
export function epochRows(set: TaskSet, { sampleSize, seed }: EpochRowsOptions): (epoch: number) => TaskRow[] {
  const rowsAt = (epoch: number): TaskRow[] =>
    set.examples(epoch).map((reference) => ({ task: reference.task, row: set.row(reference) }));
  const changes = sampleSize === 0 && (set.draws || set.parts.some(({ weight }) => !Number.isInteger(weight)));
  const drawn = drawRows(rowsAt(0), sampleSize, `${seed}/grpo`);
  return (epoch) => new Random(`${seed}/grpo/${epoch}`).shuffle(changes ? rowsAt(epoch) : [...drawn]);
}

/** Some of the rows in a random order. @param count 0: all */
export function drawRows<T>(rows: readonly T[], count: number, seed: string): T[] {
  const order = new Random(seed).shuffle([...rows]);
  return count > 0 ? order.slice(0, count) : order;
}
