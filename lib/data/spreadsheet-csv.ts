/**
 * Comma-separated text for spreadsheets, with texts that anybody may have written (a model, a shop's customers).
 *
 * RFC 4180 in UTF-8 with the byte order mark without which Excel takes it for another encoding. Follows OWASP's page on
 * CSV injection: a cell that a spreadsheet would take for a formula gets a single quote in front, every text is quoted
 * and its quotes are doubled, so that no text ends its own cell. Departures from that page:
 *   1. white space before such a sign is looked through, since some readers cut it off;
 *   2. control characters other than tabs and line breaks, at which Excel ends a cell or a file, become U+FFFD.
 * What was prefixed reads back with its prefix: the file is for looking at, the rows themselves are the JSON lines.
 */

/** What a cell holds: a text that may be anything, or a number of our own. */
export type SpreadsheetCell = string | number;

/**
 * A table as the text of a file, in pieces.
 * @param rows cells of each row; the first may be the header
 *
 * @example [...spreadsheetCsv([['name', 'score'], ['=1+1', 0.5]])].join('')
 * // '\uFEFF"name","score"\r\n"\'=1+1",0.5\r\n'
 */
export function* spreadsheetCsv(rows: Iterable<readonly SpreadsheetCell[]>): Generator<string> {
  yield '\uFEFF';
  for (const row of rows) yield row.map(cell).join(',') + '\r\n';
}

/** Text that no spreadsheet takes for a formula. @example harmless('-1') // "'-1" @example harmless('a-1') // 'a-1' */
export function harmless(text: string): string {
  const visible = text.replace(CONTROL, '\uFFFD');
  return FORMULA.test(visible) ? `'${visible}` : visible;
}

/** The signs that begin a formula, wide ones of East Asian fonts included, and the white space that OWASP names. */
const FORMULA = /^(?:[\t\r\n]|\s*[=+\-@＝＋－＠])/;

const CONTROL = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F]/g;

function cell(value: SpreadsheetCell): string {
  return typeof value === 'number' ? String(value) : `"${harmless(value).replaceAll('"', '""')}"`;
}
