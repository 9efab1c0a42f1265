/** Any rows or result of the kit as an arquero table: filter, group, join and sort them in a notebook. */
import * as aq from 'arquero';
import { rowsOf } from './rows-of.js';
import type { TableLike } from './shapes.js';

/**
 * Columns as `rowsOf` names them; a cell that a row lacks is undefined, lists stay lists. The rows of
 *
 *   - a data set (`train`, `valid`, `test`): `split`, `user`, `history`, `length`, `target`;
 *   - results: `user`, `history`, `length`, `target`, `rank` of the target (0: not listed), `items`, `scores`;
 *   - metric lines, reports, any objects: their fields; an arquero table is returned as it is.
 *
 * @example
 * const missed = toTable(results).filter('d => d.rank === 0').groupby('length').count();
 * showTable(missed);
 */
export function toTable(value: TableLike): aq.ColumnTable {
  if (value instanceof aq.ColumnTable) return value;
  const { columns, rows } = rowsOf(value);
  return aq.table(columns.map((name) => [name, rows.map((row) => row[name])] as [string, unknown[]]));
}
