/** The kinds of slices that reports have. */
import { byCategory, byHistoryLength, byMonth, byPopularity, type Label } from '../measures/slices.js';

/** What rows are sorted by, under its name in reports; rows without the label are in no slice. */
export const ROW_LABELS: Readonly<Record<'popularity' | 'history' | 'category' | 'month', Label>> = {
  popularity: byPopularity,
  history: byHistoryLength(),
  category: byCategory,
  month: byMonth,
};

/** Slices of a kind: those with most rows. */
export const MOST_SLICES = 12;

/** Rows of each label, those of the largest labels, by label with numbers in their order. */
export function largestSlices(labels: readonly (string | undefined)[]): [label: string, rows: number[]][] {
  const slices = new Map<string, number[]>();
  labels.forEach((label, i) => {
    if (label === undefined) return;
    const rows = slices.get(label);
    if (rows) rows.push(i);
    else slices.set(label, [i]);
  });
  return [...slices]
    .sort(([, a], [, b]) => b.length - a.length)
    .slice(0, MOST_SLICES)
    .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
}
