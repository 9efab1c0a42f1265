/** Tables in a notebook: HTML, and the same as text. */
import { escapeText, type TableRow } from './figure.js';
import { writeFaces } from './notebook.js';

export interface ShowTableOptions {
  /** Columns, in order; default those of all rows, as they come. */
  columns?: readonly string[];
  /** Digits after the point of numbers that are not whole. Default 4. */
  digits?: number;
  /** Rows shown; the rest is counted in a last line. Default 50. */
  most?: number;
  /** Characters of a cell; longer ones end in an ellipsis. Default 60. */
  width?: number;
}

/** Shows rows in the running cell; outside a notebook prints them as text. */
export function showTable(rows: readonly TableRow[], options: ShowTableOptions = {}): void {
  const text = tableText(rows, options);
  if (!writeFaces({ 'text/html': tableHtml(rows, options), 'text/plain': text })) process.stdout.write(text + '\n');
}

/** Columns aligned, numbers to the right. */
export function tableText(rows: readonly TableRow[], options: ShowTableOptions = {}): string {
  const { columns, cells, numeric, rest } = prepare(rows, options);
  const lines = [columns, ...cells];
  const widths = columns.map((_, j) => Math.max(...lines.map((line) => [...line[j]!].length)));
  const aligned = lines.map((line) =>
    line
      .map((cell, j) => {
        const blanks = ' '.repeat(widths[j]! - [...cell].length);
        return numeric[j] ? blanks + cell : cell + blanks;
      })
      .join('  ')
      .trimEnd(),
  );
  return [...aligned, ...(rest > 0 ? [`... ${rest} more`] : [])].join('\n');
}

/** Everything that comes from the rows is escaped. */
export function tableHtml(rows: readonly TableRow[], options: ShowTableOptions = {}): string {
  const { columns, cells, numeric, rest } = prepare(rows, options);
  const cell = (tag: 'th' | 'td', text: string, j: number) =>
    `<${tag} style="text-align: ${numeric[j] ? 'right' : 'left'}">${escapeText(text).replace(/"/g, '&quot;')}</${tag}>`;
  const line = (tag: 'th' | 'td', texts: string[]) => `<tr>${texts.map((text, j) => cell(tag, text, j)).join('')}</tr>`;
  const more = rest > 0 ? `<p>${rest} more</p>` : '';
  const body = cells.map((texts) => line('td', texts)).join('');
  return `<table><thead>${line('th', columns)}</thead><tbody>${body}</tbody></table>${more}`;
}

function prepare(rows: readonly TableRow[], options: ShowTableOptions) {
  const {
    columns = [...new Set(rows.flatMap((row) => Object.keys(row)))],
    digits = 4,
    most = 50,
    width = 60,
  } = options;
  const shown = rows.slice(0, most);
  return {
    columns: columns.map((name) => clip(name, width)),
    cells: shown.map((row) => columns.map((name) => clip(cellText(row[name], digits), width))),
    numeric: columns.map((name) => shown.length > 0 && shown.every((row) => isNumeric(row[name]))),
    rest: rows.length - shown.length,
  };
}

const isNumeric = (value: unknown): boolean => value === undefined || value === null || typeof value === 'number';

function cellText(value: unknown, digits: number): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : value.toFixed(digits);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function clip(text: string, width: number): string {
  const characters = [...text.replace(/\s+/g, ' ')];
  return characters.length > width ? characters.slice(0, width - 1).join('') + '…' : characters.join('');
}
