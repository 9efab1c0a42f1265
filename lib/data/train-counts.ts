/** How popular items are in the training rows. */
import type { Row } from './dataset.js';

/**
 * Times each item was bought in the training rows: every target, and the history of a user's first row (the histories
 * of later rows repeat what came before).
 * @param items in the catalogue
 */
export function trainCounts(train: readonly Row[], items: number): Int32Array {
  const counts = new Int32Array(items);
  const users = new Set<string>();
  for (const { user, history, target } of train) {
    if (!users.has(user)) for (const id of history) counts[id]!++;
    users.add(user);
    counts[target]!++;
  }
  return counts;
}
