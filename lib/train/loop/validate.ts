/** The figure that decides which model is the best: the same rows, ranked by the same search, at every checkpoint. */
import type { Row } from '../../data/dataset.js';
import { rankRows } from '../../evaluate/evaluate.js';
import { itemMetrics } from '../../evaluate/metrics.js';
import type { Recommender } from '../../evaluate/recommender.js';
import { Random } from '../../support/random.js';

const BEAMS = 10;

/** @param limit rows, drawn once by the seed; all of them where there are fewer */
export function validator(
  recommender: Recommender,
  rows: readonly Row[],
  limit: number,
  seed: number,
): () => Promise<Record<string, number>> {
  const sample = new Random(`${seed}/valid`).shuffle([...rows]).slice(0, limit);
  return async () => {
    const results = await rankRows(recommender, sample, { numBeams: BEAMS, label: 'validate' });
    return itemMetrics(results, [1, 5, 10]);
  };
}
