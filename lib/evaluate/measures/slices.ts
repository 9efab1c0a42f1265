/** Metrics of parts of the rows: any function from a row to a label makes slices. */
import type { RowEntry } from '../rows/row-table.js';
import { type Measures, means } from './measure.js';

/** A label; rows of one label are a slice. Undefined: in none. */
export type Label = (row: RowEntry) => string | undefined;

/** A slice: its label, how many rows it has, and its metrics. */
export type Slice = { slice: string; rows: number } & Record<string, string | number>;

/** Rows by label, in the order of `sliceOrder`. */
export function sliceRows(table: readonly RowEntry[], label: Label): Map<string, RowEntry[]> {
  const slices = new Map<string, RowEntry[]>();
  for (const row of table) {
    const name = label(row);
    if (name === undefined) continue;
    const slice = slices.get(name);
    if (slice) slice.push(row);
    else slices.set(name, [row]);
  }
  return new Map([...slices].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })));
}

/** A table of slices: label, rows, and the mean of each measure, by label with numbers in their order. */
export function sliceMetrics(table: readonly RowEntry[], label: Label, measures: Measures): Slice[] {
  return [...sliceRows(table, label)].map(([slice, rows]) => ({
    slice,
    rows: rows.length,
    ...means(rows, measures),
  }));
}

/**
 * `cold` for targets that no training row has, else the quarter of the catalogue by popularity: `1st quarter` is the
 * least popular.
 */
export const byPopularity: Label = ({ popularity, popularityPercentile: percentile }) => {
  if (popularity === undefined || percentile === undefined) return undefined;
  if (popularity === 0) return 'cold';
  return ['1st quarter', '2nd quarter', '3rd quarter', '4th quarter'][Math.min(3, Math.floor(percentile * 4))];
};

/** `1`, `2 to 4`, `5 to 9`, `10 and more` items of history, or bounds of your own. @param from first length of each */
export function byHistoryLength(from: readonly number[] = [1, 2, 5, 10]): Label {
  return ({ historyLength }) => {
    const at = from.findLastIndex((first) => historyLength >= first);
    if (at < 0) return undefined;
    const [first, next] = [from[at]!, from[at + 1]];
    if (next === undefined) return `${first} and more`;
    return next - 1 === first ? `${first}` : `${first} to ${next - 1}`;
  };
}

/** The target's first category. */
export const byCategory: Label = ({ category }) => (category === undefined ? undefined : category || 'none');

/** Month of the purchase in UTC, `2018-07`. */
export const byMonth: Label = ({ time }) => (time === undefined ? undefined : new Date(time).toISOString().slice(0, 7));
