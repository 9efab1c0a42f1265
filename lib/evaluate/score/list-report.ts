/** What the lists of a file are like, whatever their targets. */
import type { Dataset } from '../../data/dataset.js';
import { trainCounts } from '../../data/train-counts.js';
import {
  averagePopularity,
  coverage,
  entropy,
  exposure,
  gini,
  leastPopular,
  popularityBias,
  type PopularityBias,
  repeatShare,
  tailShare,
  targetRepeats,
} from '../measures/lists.js';
import { means } from '../measures/measure.js';
import { popularityPercentiles } from '../rows/features.js';
import type { RowEntry } from '../rows/row-table.js';

/** What lists are like at the length `k`. */
export interface ListReport {
  k: number;
  /** Share of the catalogue that is recommended to somebody. With a data set. */
  coverage?: number;
  /** Concentration of what is recommended: 0 everything alike, towards 1 always the same. With a data set. */
  gini?: number;
  /** Of what is recommended, in nats: 0 always the same item. With a data set. */
  entropy?: number;
  /** Mean number of training purchases of what is recommended. With a data set. */
  averagePopularity?: number;
  /** Share of recommended items that are among the tenth that was bought least. With a data set. */
  tail?: number;
  /** Percentiles of popularity. With a data set. */
  popularity?: PopularityBias;
  /** Share of recommended items that are in the history. */
  repeats: number;
  /** Share of targets that are in the history. */
  targetRepeats: number;
}

/** @param dataset for what needs a catalogue; default left out */
export function listReport(table: readonly RowEntry[], k: number, dataset?: Dataset): ListReport {
  const { repeats, targets } = means(table, { repeats: repeatShare(k), targets: targetRepeats });
  return { k, ...(dataset && catalogueReport(table, k, dataset)), repeats: repeats!, targetRepeats: targets! };
}

function catalogueReport(
  table: readonly RowEntry[],
  k: number,
  { items: { length: items }, train }: Dataset,
): Omit<ListReport, 'k' | 'repeats' | 'targetRepeats'> {
  const [counts, shown] = [trainCounts(train, items), exposure(table, k, items)];
  const tail = leastPopular(counts);
  const ofRows = means(table, { averagePopularity: averagePopularity(k, counts), tail: tailShare(k, tail) });
  return {
    coverage: coverage(table, k, items),
    gini: gini(shown),
    entropy: entropy(shown),
    ...{ averagePopularity: ofRows.averagePopularity!, tail: ofRows.tail! },
    popularity: popularityBias(table, k, popularityPercentiles(counts)),
  };
}
