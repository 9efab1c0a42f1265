/** A metric and its interval in one cell: `intervals.HR@10`, `[low, high]`, goes into the column `HR@10`. */
import { intervalText } from '../../support/interval-text.js';
import type { TableRow } from '../figure.js';

/** Rows of a table, and how its cells are written. */
export interface IntervalCells {
  /** Without those of intervals whose metric has a column. */
  columns: string[];
  /** `.131 [.118, .145]`; undefined where a row has no interval of the column. */
  textOf(row: TableRow, column: string): string | undefined;
}

/** @param columns as `rowsOf` names them: an object's fields with dots */
export function intervalCells(columns: readonly string[]): IntervalCells {
  const all = new Set(columns);
  const intervalOf = new Map<string, string>();
  for (const name of columns) {
    const metric = name.replace(/(^|\.)intervals\./, '$1');
    if (metric !== name && all.has(metric)) intervalOf.set(metric, name);
  }
  const joined = new Set(intervalOf.values());
  return {
    columns: columns.filter((name) => !joined.has(name)),
    textOf(row, column) {
      const [mean, ends] = [row[column], row[intervalOf.get(column) ?? '']];
      if (typeof mean !== 'number' || !isPair(ends)) return undefined;
      return intervalText(mean, ends);
    },
  };
}

function isPair(value: unknown): value is [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every((end) => typeof end === 'number');
}
