/**
 * Comma-separated text as Python's csv module and pandas write it: a cell with a comma, a quote or a line end is
 * quoted, quotes inside are doubled, lines end in \n. (RFC 4180 but for the line ends; either is read.)
 */
import { cellsOf, RecordScanner } from './raw/records.js';

/** One record as a line. */
export function formatRecord(record: readonly string[]): string {
  return record.map(cell).join(',') + '\n';
}

/** All records as one text. */
export function formatCsv(records: readonly (readonly string[])[]): string {
  return records.map(formatRecord).join('');
}

/** A record that was read. */
export interface CsvRecord {
  /** Texts of its cells. */
  cells: string[];
  /** Line on which the record starts, from 1. */
  line: number;
}

/**
 * @param text or its UTF-8 bytes, which may be longer than a string can be; empty lines are passed over
 * @param path for messages
 * @throws InputError for a quote that is never closed: file and line
 */
export function parseCsv(text: string | Uint8Array, path: string): CsvRecord[] {
  const records: CsvRecord[] = [];
  const scanner = new RecordScanner(path, ',', (bytes, starts, count, line) => {
    records.push({ cells: cellsOf(bytes, starts, count), line });
  });
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  const whole = bytes.length === 0 || bytes.at(-1) === 10 ? bytes : Buffer.concat([bytes, Uint8Array.of(10)]);
  scanner.scan(whole);
  scanner.end();
  return records;
}

function cell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
