/** A control: what a model still knows when the histories are given to the wrong rows. */
import type { Row } from '../data/dataset.js';
import { Random } from '../support/random.js';

/**
 * The same rows with their histories permuted among them. A model that reads histories falls to popularity; one that
 * does not stays where it is.
 */
export function shuffleHistories(rows: readonly Row[], seed = 42): Row[] {
  const histories = new Random(`${seed}/histories`).shuffle(rows.map(({ history }) => history));
  return rows.map((row, i) => ({ ...row, history: histories[i]! }));
}
