/**
 * Popularity: everybody gets the items that were bought most often in the train rows.
 * Seen items stay candidates; ties go to the item counted first.
 */
import type { Row } from '../data/dataset.js';
import type { Result } from '../evaluate/results-file.js';
import { byCount, countTrain } from './counts.js';

export interface BaselineOptions {
  /** Length of the lists; shorter where fewer items were seen. Default 50. */
  topK?: number;
}

/** Scores are the counts. @param train rows in order of time */
export function popularity(train: readonly Row[], test: readonly Row[], options: BaselineOptions = {}): Result[] {
  const { topK = 50 } = options;
  const best = byCount(countTrain(train).items).slice(0, topK);
  return test.map((row) => ({ ...row, items: best.map(([item]) => item), scores: best.map(([, count]) => count) }));
}
