/**
 * An evaluation as a table, one plain object a row: what every metric, slice, interval and test is computed from, and
 * what arquero, danfo and `showTable` take as it is.
 */
import type { Dataset } from '../../data/dataset.js';
import type { SidIndex } from '../../data/sid-index.js';
import { trainCounts } from '../../data/train-counts.js';
import type { Result } from '../results-file.js';
import { popularityPercentiles, sharedWithHistory } from './features.js';
import { itemRank, sidRanker } from './ranks.js';

/** A row of the table. Fields that the context cannot give are left out. */
export interface RowEntry {
  /** Name of the user; rows of one user are resampled together. */
  user: string;
  /** Item id. */
  target: number;
  /** Rank of the target by item, from 1; 0 where the list lacks it. */
  rank: number;
  /** Rank by distinct SIDs, from 1; 0 where no item of the list has the target's SID. With an index. */
  sidRank?: number;
  /** Score of the target in the list (of a beam search its log-probability, in nats); null where the list lacks it. */
  score: number | null;
  /** Score of the list's last item; absent where the list is empty. */
  lowestScore?: number;
  /** Log-probability of the target's text, in nats, whether it is in the list or not. Where the results have it. */
  logProb?: number;
  /** Of each of its tokens. */
  logProbs?: readonly number[];
  /** Items of the history. */
  historyLength: number;
  /** Times that the target was bought in the training rows. With a data set. */
  popularity?: number;
  /** Share of items that were bought less often than the target, ties by half, in [0, 1]. With a data set. */
  popularityPercentile?: number;
  /** First category of the target, `` where it has none. With a data set. */
  category?: string;
  /** When the target was bought, milliseconds since 1970. With times. */
  time?: number;
  /** Leading SID codes that the target has in common with the nearest item of the history. With an index. */
  sharedCodes?: number;
  /** Item ids, oldest first: the result's own array. */
  history: readonly number[];
  /** Item ids, best first: the result's own array. */
  items: readonly number[];
}

/** What is known beside the results. */
export interface RowContext {
  /** For popularity and category. */
  dataset?: Pick<Dataset, 'items' | 'train'>;
  /** For SID ranks, and the codes in common with the history. */
  index?: SidIndex;
  /** When each result's target was bought, milliseconds since 1970, in the order of the results. */
  times?: ArrayLike<number>;
  /** Items of each list that its entry keeps, where not all are needed. Default all. */
  keep?: number;
}

/**
 * One entry a result, in the same order.
 * @example rowTable([{ user: 'A', history: [0], target: 5, items: [7, 5], scores: [-1, -2] }])
 * // [{ user: 'A', target: 5, rank: 2, score: -2, lowestScore: -2, historyLength: 1, history: [0], items: [7, 5] }]
 * @throws RangeError where there is not a time for each result
 */
export function rowTable(results: readonly Result[], context: RowContext = {}): RowEntry[] {
  const { times } = context;
  if (times && times.length !== results.length) {
    throw new RangeError(`rowTable: expected ${results.length} times, one a result, got ${times.length}`);
  }
  return results.map(rowMaker(context));
}

/** A function from one result after the other to its entry; what the context needs is prepared once. */
export function rowMaker({ dataset, index, times, keep }: RowContext = {}): (result: Result, i: number) => RowEntry {
  const counts = dataset && trainCounts(dataset.train, dataset.items.length);
  const percentiles = counts && popularityPercentiles(counts);
  const sidRank = index && sidRanker(index);
  return (result, i) => {
    const { user, target, items, scores, history, targetLogProbs } = result;
    const rank = itemRank(result);
    return {
      user,
      target,
      rank,
      ...(sidRank && { sidRank: sidRank(result) }),
      score: scores[rank - 1] ?? null,
      ...(scores.length > 0 && { lowestScore: scores.at(-1)! }),
      ...(targetLogProbs?.length && {
        logProb: targetLogProbs.reduce((sum, logProb) => sum + logProb, 0),
        logProbs: targetLogProbs,
      }),
      historyLength: history.length,
      ...(counts && { popularity: counts[target] ?? 0, popularityPercentile: percentiles![target] ?? 0 }),
      ...(dataset && { category: firstCategory(dataset.items[target]?.categories) }),
      ...(times && { time: times[i]! }),
      ...(index && { sharedCodes: sharedWithHistory(result, index) }),
      history,
      items: keep === undefined ? items : items.slice(0, keep),
    };
  };
}

function firstCategory(categories = ''): string {
  return categories.split(',')[0]!.trim();
}
