/** A catalogue as an arquero table: what `toTable(items)` makes, with each item's id. */
import * as aq from 'arquero';
import type { Item } from './dataset.js';

/**
 * Columns `item` (the id), `title`, `description`, `brand`, `categories`.
 * @param items all of a data set's, since an item's id is its place among them
 * @example toTable(results).join_left(itemsTable(items), ['target', 'item']).select('user', 'rank', 'title')
 */
export function itemsTable(items: readonly Item[]): aq.ColumnTable {
  return aq.table({
    item: items.map((_, id) => id),
    title: items.map((item) => item.title),
    description: items.map((item) => item.description),
    brand: items.map((item) => item.brand),
    categories: items.map((item) => item.categories),
  });
}
