/** Tables in a notebook: HTML, and the same as text. */
import type { TableRow } from './figure.js';
import { writeFaces } from './notebook.js';
import { escapeHtml, plainText, truncated } from './text.js';
import { columnsWide } from './text-size.js';
import { cellText } from './tables/cell-text.js';
import { intervalCells } from './tables/interval-cells.js';
import { flatten, type Rows, rowsOf } from './tables/rows-of.js';
import { listOf, type TableLike } from './tables/shapes.js';
import { largest } from '../support/extremes.js';

/** Options of `showTable`, `tableText` and `tableHtml`. */
export interface ShowTableOptions {
  /** Columns, in order; default those of the rows shown, as they come, the first 40 of them. */
  columns?: readonly string[];
  /** Digits after the point of numbers that are not whole. Default 4. */
  digits?: number;
  /** Rows shown; the rest is counted in a last line. Default 50. */
  most?: number;
  /** Characters of a cell; longer ones end in an ellipsis. Default 60. */
  width?: number;
}

/**
 * Shows rows in the running cell; outside a notebook prints them as text. A metric whose interval is among the row's
 * `intervals` is shown with it.
 * @param rows of any kind (see `TableLike`); one object is shown as rows of `field` and `value`
 */
export function showTable(rows: TableLike, options: ShowTableOptions = {}): void {
  const list = listOf(rows) ?? rows; // an iterator gives its rows once
  const text = tableText(list, options);
  if (!writeFaces({ 'text/html': tableHtml(list, options), 'text/plain': text })) process.stdout.write(text + '\n');
}

/** Columns aligned, numbers to the right. */
export function tableText(rows: TableLike, options: ShowTableOptions = {}): string {
  const { columns, cells, numeric, rest } = prepare(rows, options);
  const lines = [columns, ...cells];
  const widths = columns.map((_, j) => largest(lines.map((line) => columnsWide(line[j]!))));
  const aligned = lines.map((line) =>
    line
      .map((cell, j) => {
        const blanks = ' '.repeat(widths[j]! - columnsWide(cell));
        return numeric[j] ? blanks + cell : cell + blanks;
      })
      .join('  ')
      .trimEnd(),
  );
  return [...aligned, ...rest.map((more) => `... ${more}`)].join('\n');
}

/** Everything that comes from the rows is escaped. */
export function tableHtml(rows: TableLike, options: ShowTableOptions = {}): string {
  const { columns, cells, numeric, rest } = prepare(rows, options);
  const cell = (tag: 'th' | 'td', text: string, j: number) =>
    `<${tag} style="text-align: ${numeric[j] ? 'right' : 'left'}">${escapeHtml(text)}</${tag}>`;
  const line = (tag: 'th' | 'td', texts: string[]) => `<tr>${texts.map((text, j) => cell(tag, text, j)).join('')}</tr>`;
  const body = cells.map((texts) => line('td', texts)).join('');
  const more = rest.map((text) => `<p>${text}</p>`).join('');
  return `<table><thead>${line('th', columns)}</thead><tbody>${body}</tbody></table>${more}`;
}

/** Columns of a table that are shown where none are asked for: of the vectors of items the first ones will do. */
const MOST_COLUMNS = 40;

interface Prepared {
  columns: string[];
  /** Rows shown, a text a column. */
  cells: string[][];
  /** Of each column: whether its cells are numbers. */
  numeric: boolean[];
  /** What is not shown: `3 more`, `8 more columns`. */
  rest: string[];
}

function prepare(value: TableLike, options: ShowTableOptions): Prepared {
  const { digits = 4, most = 50, width = 60 } = options;
  const list = listOf(value);
  const { columns: given, rows, total } = list === undefined ? fieldRows(value, most) : rowsOf(list, most);
  const { columns: all, textOf } = intervalCells(given);
  const { columns = all.slice(0, MOST_COLUMNS) } = options;
  const hidden = options.columns ? 0 : all.length - columns.length;
  const clip = (text: string) => truncated(plainText(text), width);
  return {
    columns: columns.map(clip),
    cells: rows.map((row) => columns.map((name) => clip(textOf(row, name) ?? cellText(row[name], digits)))),
    numeric: columns.map((name) => rows.length > 0 && rows.every((row) => isNumeric(row[name]))),
    rest: [
      ...(total > rows.length ? [`${total - rows.length} more`] : []),
      ...(hidden > 0 ? [`${hidden} more columns`] : []),
    ],
  };
}

/** One object as a row a field. */
function fieldRows(value: object, most: number): Rows {
  const fields = Object.entries(flatten(value)).map(([field, value]): TableRow => ({ field, value }));
  return { columns: ['field', 'value'], rows: fields.slice(0, most), total: fields.length };
}

const isNumeric = (value: unknown): boolean => value === undefined || value === null || typeof value === 'number';
