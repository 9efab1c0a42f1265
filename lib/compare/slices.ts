/** The comparison within parts of the rows: popularity, length of history, category, month. */
import { hitRate, ndcg, type RankField } from '../evaluate/measures/ranking.js';
import { ROW_LABELS, largestSlices } from '../evaluate/score/row-labels.js';
import type { CompareOptions } from '../evaluate/statistics/compare.js';
import { comparePairs, corrected, type PairComparison, type SideTables } from './paired-tests.js';

/** A metric of a pair of sides within a slice; p is corrected over all slices of its kind and all pairs. */
export interface SliceComparison extends PairComparison {
  /** What the rows were sorted by: `popularity`, `history`, `category` or `month`. */
  by: string;
  /** Label of the rows. */
  slice: string;
  rows: number;
}

/** HR and NDCG at `k`, of the largest slices of each kind that the rows have. */
export function compareSlices(
  sides: readonly SideTables[],
  k: number,
  rank: RankField,
  options: CompareOptions & { alpha: number },
): SliceComparison[] {
  const measures = { [`HR@${k}`]: hitRate(k, rank), [`NDCG@${k}`]: ndcg(k, rank) };
  const [one] = sides[0]!.tables;
  return Object.entries(ROW_LABELS).flatMap(([by, label]) => {
    const slices = largestSlices(one!.map((row) => label(row)));
    const found = slices.flatMap(([slice, rows]) => {
      const within = sides.map(({ name, tables }) => ({
        name,
        tables: tables.map((table) => rows.map((i) => table[i]!)),
      }));
      return comparePairs(within, measures, options).map((row) => ({ by, slice, rows: rows.length, ...row }));
    });
    return corrected(found, options.alpha);
  });
}
