/** A data set's rows and items as arquero tables, for looking at them in a notebook. */
import * as aq from 'arquero';
import { type Item, type Row, type Split, SPLITS } from './dataset.js';

/** Columns `split`, `user`, `history` (item ids, oldest first), `length` of the history, `target`. */
export function toTable(data: Record<Split, readonly Row[]>): aq.ColumnTable {
  const rows = SPLITS.flatMap((split) => data[split].map((row) => ({ split, ...row })));
  return aq.table({
    split: rows.map((row) => row.split),
    user: rows.map((row) => row.user),
    history: rows.map((row) => row.history),
    length: rows.map((row) => row.history.length),
    target: rows.map((row) => row.target),
  });
}

/** Columns `item`, `title`, `description`, `brand`, `categories`. */
export function itemsTable(items: readonly Item[]): aq.ColumnTable {
  return aq.table({
    item: items.map((_, id) => id),
    title: items.map((item) => item.title),
    description: items.map((item) => item.description),
    brand: items.map((item) => item.brand),
    categories: items.map((item) => item.categories),
  });
}
