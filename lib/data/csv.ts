/**
 * Comma-separated text as Python's csv module and pandas write it: a cell with a comma, a quote or a line end is
 * quoted, quotes inside are doubled, lines end in \n. (RFC 4180 but for the line ends; either is read.)
 */
import { InputError } from '../support/errors.js';

export function formatCsv(records: readonly (readonly string[])[]): string {
  return records.map((record) => record.map(cell).join(',') + '\n').join('');
}

export interface CsvRecord {
  cells: string[];
  /** Line on which the record starts, from 1. */
  line: number;
}

/**
 * @param path for messages
 * @throws InputError for a quote that is never closed, or text after a closing quote
 */
export function parseCsv(text: string, path: string): CsvRecord[] {
  const records: CsvRecord[] = [];
  let cells: string[] = [];
  let line = 1;
  let start = 1;
  const token = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  while (token.lastIndex < text.length) {
    const match = token.exec(text);
    if (!match) throw new InputError(`${path}:${start}: a quote in this record is not closed; write the file anew`);
    cells.push(match[1]?.replaceAll('""', '"') ?? match[2]!);
    line += match[0].split('\n').length - 1;
    if (match[3] === ',' && token.lastIndex < text.length) continue;
    if (match[3] === ',') cells.push(''); // the text ends after a comma
    records.push({ cells, line: start });
    cells = [];
    start = line;
  }
  return records;
}

function cell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
