/** A data set's rows and items as arquero tables, for looking at them in a notebook. */
import * as aq from 'arquero';
import { type Item, type Row, type Split, SPLITS } from './dataset.js';

/** Columns `split`, `user`, `history` (item ids, oldest first), `length` of the history, `target`. */
export function toTable(data: Record<Split, readonly Row[]>): aq.ColumnTable {
  // Column by column, without an object a row.
  const column = <T>(cell: (row: Row, split: Split) => T): T[] => {
    const cells: T[] = [];
    for (const split of SPLITS) for (const row of data[split]) cells.push(cell(row, split));
    return cells;
  };
  return aq.table({
    split: column((_, split) => split),
    user: column(({ user }) => user),
    history: column(({ history }) => history),
    length: column(({ history }) => history.length),
    target: column(({ target }) => target),
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
