/**
 * Popularity: everybody gets the items that were bought most often in the train rows.
 * Seen items stay candidates; ties go to the item counted first.
 */
import type { Row } from '../data/dataset.js';
import type { Result } from '../evaluate/results-file.js';
import type { Baseline, BaselineOptions } from './baseline.js';
import { byCount, countTrain } from '../data/counts.js';

/** Scores are the counts. @param train rows in order of time */
export function popularity(train: readonly Row[], test: readonly Row[], options: BaselineOptions = {}): Result[] {
  const { topK = 50 } = options;
  const best = byCount(countTrain(train).items).slice(0, topK);
  return test.map((row) => ({ ...row, items: best.map(([item]) => item), scores: best.map(([, count]) => count) }));
}

/** The same as one of `BASELINES`. */
export const POPULARITY = {
  name: 'popularity',
  help: 'the items that were bought most often',
  rank: popularity,
} as const satisfies Baseline;
