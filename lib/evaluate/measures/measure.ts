/** Measures: functions from a row of the table to a number, and their means. */
import type { RowEntry } from '../rows/row-table.js';

/** What a row contributes to a mean; one of your own is any function of a row. */
export type Measure = (row: RowEntry) => number;

/** Measures by name. */
export type Measures = Readonly<Record<string, Measure>>;

/**
 * Means over the rows; of no rows 0.
 * @example means(table, { 'HR@10': hitRate(10), mine: (row) => Number(row.rank > 0 && row.popularity! < 5) })
 */
export function means(table: readonly RowEntry[], measures: Measures): Record<string, number> {
  return Object.fromEntries(
    Object.entries(measures).map(([name, measure]) => {
      let sum = 0;
      for (const row of table) sum += measure(row);
      return [name, sum / Math.max(1, table.length)];
    }),
  );
}
