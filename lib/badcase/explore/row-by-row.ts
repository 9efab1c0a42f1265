/** Two runs row by row: what the second found that the first missed, what it lost, and what both miss. */
import type { Result } from '../../evaluate/result.js';
import { itemRank } from '../../evaluate/rows/ranks.js';
import { InputError } from '../../support/errors.js';

/** What became of a row. */
export type RowOutcome = 'both found' | 'won' | 'lost' | 'both failed';

/** A row of two runs. */
export interface RowPair {
  /** Place among the results, from 0. */
  row: number;
  user: string;
  /** Item ids, oldest first. */
  history: readonly number[];
  /** Item id. */
  target: number;
  /** Rank of the target in the first and in the second run, from 1; 0 where it is not listed. */
  ranks: [first: number, second: number];
  /** `won`: found by the second run alone. */
  outcome: RowOutcome;
}

/**
 * @param topK a row is found whose target is among the first so many. Default 10
 * @throws InputError for results of other rows
 * @example rowByRow([{ target: 5, items: [7], ... }], [{ target: 5, items: [5], ... }]) // [{ outcome: 'won', ranks: [0, 1], ... }]
 */
export function rowByRow(first: readonly Result[], second: readonly Result[], topK = 10): RowPair[] {
  if (first.length !== second.length) {
    throw new InputError(
      `rowByRow: expected as many rows, got ${first.length} and ${second.length}; evaluate the same`,
    );
  }
  const found = (rank: number): boolean => rank > 0 && rank <= topK;
  return first.map((one, row) => {
    const other = second[row]!;
    if (one.user !== other.user || one.target !== other.target) {
      throw new InputError(`rowByRow: result ${row + 1} is of another row in the second run; evaluate the same rows`);
    }
    const ranks: RowPair['ranks'] = [itemRank(one), itemRank(other)];
    const [before, after] = ranks.map(found);
    const outcome = before ? (after ? 'both found' : 'lost') : after ? 'won' : 'both failed';
    return { row, user: one.user, history: one.history, target: one.target, ranks, outcome };
  });
}

/** How many rows came out in each way. */
export function countOutcomes(pairs: readonly Pick<RowPair, 'outcome'>[]): Record<RowOutcome, number> {
  const counts: Record<RowOutcome, number> = { 'both found': 0, won: 0, lost: 0, 'both failed': 0 };
  for (const { outcome } of pairs) counts[outcome]++;
  return counts;
}
