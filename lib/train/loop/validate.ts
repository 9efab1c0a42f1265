/** The metric that decides which model is the best: the same rows, ranked by the same search, at every checkpoint. */
import type { Cluster } from '../../cluster/cluster.js';
import type { Row } from '../../data/dataset.js';
import { rankRows } from '../../evaluate/rank-rows.js';
import { itemMetrics } from '../../evaluate/metrics.js';
import { itemRank } from '../../evaluate/rows/ranks.js';
import { withRanks } from '../../evaluate/statistics/intervals.js';
import type { Recommender } from '../../evaluate/recommender.js';
import type { ValidRow } from '../../runs/valid-rows.js';
import { InputError } from '../../support/errors.js';
import { Random } from '../../support/random.js';

const BEAMS = 10;
const KS = [1, 5, 10];

/** What a validation of ranked rows gives. */
export const VALID_METRICS: readonly string[] = KS.flatMap((k) => [`HR@${k}`, `NDCG@${k}`]);

/** Validates; it remembers the rows that the metrics are means of. */
export interface Validator {
  (cluster?: Cluster): Promise<Record<string, number>>;
  /** Of the last validation. */
  rows?: ValidRow[];
}

/**
 * @param limit rows, drawn once by the seed; all of them where there are fewer, or where it is 0
 * @throws InputError for no rows: without a metric the first model would pass for the best
 */
export function validator(recommender: Recommender, rows: readonly Row[], limit: number, seed: number): Validator {
  if (rows.length === 0) {
    throw new InputError('validation: expected rows in the valid split, got none; filter again with another --split');
  }
  const sample = new Random(`${seed}/valid`).shuffle([...rows]).slice(0, limit > 0 ? limit : rows.length);
  const validate: Validator = async (cluster) => {
    const options = { numBeams: BEAMS, label: 'validate', scoreTargets: false };
    const results = await rankRows(recommender, sample, options, { cluster });
    validate.rows = withRanks(results, itemRank);
    return itemMetrics(results, KS);
  };
  return validate;
}
