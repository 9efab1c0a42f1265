/** The rows that a task is validated on. */
import type { Row } from '../../data/dataset.js';
import { Random } from '../../support/random.js';

/** Which of a task's rows. */
export interface HeldOutOptions {
  /** Rows at most; 0 for all. */
  validRows: number;
  /** Of the run; each task draws its own. */
  seed: number;
}

/** `validRows` of a task's rows, or all where there are no more or it is 0, in an order drawn by the seed and the task's name. */
export function heldOutRows(rows: readonly Row[], task: string, { validRows, seed }: HeldOutOptions): Row[] {
  return new Random(`${seed}/held-out/${task}`).shuffle([...rows]).slice(0, validRows > 0 ? validRows : rows.length);
}
