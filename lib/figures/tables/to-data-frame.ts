/** Any rows or result of the kit as a danfo.js data frame, for those who think in pandas. */
import type { DataFrame } from 'danfojs-node';
import type { TableRow } from '../figure.js';
import { cellText } from './cell-text.js';
import { isList, rowsOf } from './rows-of.js';
import type { TableLike } from './shapes.js';

type Dtype = 'float32' | 'int32' | 'boolean' | 'string';

/**
 * Columns as `toTable` has them. A data frame's cells are numbers, texts and truth values, so a list (a history)
 * becomes its elements with blanks between, a time its ISO text, an object its JSON. A number that a row lacks is NaN, a
 * text null. The package is loaded when it is first asked for (a second).
 *
 * @example (await toDataFrame(results)).loc({ columns: ['length', 'rank'] }).describe().print()
 */
export async function toDataFrame(value: TableLike): Promise<DataFrame> {
  const loaded = await import('danfojs-node');
  // CommonJS: whether its names are seen beside `default` depends on who loads it.
  const danfo = 'DataFrame' in loaded ? loaded : (loaded as { default: typeof loaded }).default;
  if (value instanceof danfo.DataFrame) return value;
  const { columns, rows } = rowsOf(value);
  const types = columns.map((name) => dtypeOf(name, rows)); // danfo.js looks at the first rows alone
  const cells = rows.map((row) => columns.map((name, j) => cell(row[name], types[j]!)));
  return new danfo.DataFrame(cells, { columns, dtypes: types });
}

function dtypeOf(name: string, rows: readonly TableRow[]): Dtype {
  const present = rows.map((row) => row[name]).filter((value) => value !== undefined && value !== null);
  if (present.every((value) => typeof value === 'number')) {
    return present.length === rows.length && present.every(Number.isInteger) ? 'int32' : 'float32';
  }
  return present.length === rows.length && present.every((value) => typeof value === 'boolean') ? 'boolean' : 'string';
}

function cell(value: unknown, dtype: Dtype): unknown {
  if (value === undefined || value === null) return dtype === 'string' ? null : NaN;
  if (dtype !== 'string' || typeof value === 'string') return value;
  if (!isList(value)) return cellText(value);
  const texts = Array.from(value, (element) => (typeof element === 'string' ? element : cellText(element)));
  return texts.join(texts.some((text) => text.includes(' ')) ? ', ' : ' ');
}
