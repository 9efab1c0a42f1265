/**
 * MiniOneRec's files for its own training and evaluation: `{train,valid,test}/NAME.csv` and `info/NAME.txt`.
 * Written byte for byte as pandas and Python write them; read back with checks.
 */
import { readUtf8, wholeLines } from '../files/whole-file.js';
import { InputError } from '../support/errors.js';
import { formatRecord, parseCsv } from './csv.js';
import type { Item, Row } from './dataset.js';
import { parsePythonList, pythonList } from './python.js';
import type { SidIndex } from './sid-index.js';

/** Columns of MiniOneRec's CSV files, in their order. */
export const CSV_COLUMNS = [
  'user_id',
  'history_item_title',
  'item_title',
  'history_item_id',
  'item_id',
  'history_item_sid',
  'item_sid',
] as const;

/** A split's file as one text: at most 512 MB. @throws InputError if an id of a row lacks an item or a SID */
export function formatConverted(rows: readonly Row[], items: readonly Item[], index: SidIndex): string {
  return [...convertedLines(rows, items, index)].join('');
}

/** A split's file line by line, for any number of rows. @throws InputError as `formatConverted` */
export function* convertedLines(rows: Iterable<Row>, items: readonly Item[], index: SidIndex): Generator<string> {
  const sids = index.map((tokens) => tokens.join(''));
  const sid = (id: number) => sids[id] ?? missing(id, 'index');
  const title = (id: number) => items[id]?.title ?? missing(id, 'item file');
  yield formatRecord(CSV_COLUMNS);
  for (const { user, history, target } of rows) {
    yield formatRecord([
      user,
      pythonList(history.map(title)),
      title(target),
      pythonList(history),
      String(target),
      pythonList(history.map(sid)),
      sid(target),
    ]);
  }
}

/** A line an item: SID, title, id, tabs between. @throws InputError if an item lacks a SID */
export function formatInfo(items: readonly Item[], index: SidIndex): string {
  return [...infoLines(items, index)].join('');
}

/**
 * A title as a line of the info file holds it: tabs, line ends and other control characters, with the spaces around them,
 * are one space, and half a surrogate pair is what UTF-8 makes of it. Titles from raw files have none of these; those of
 * item files from elsewhere may.
 */
export function infoTitle(title: string): string {
  return title
    .replace(/[\s\p{Cc}]+/gu, (blank) => (/[\p{Cc}\u2028\u2029]/u.test(blank) ? ' ' : blank))
    .replace(/\p{Cs}/gu, '\ufffd');
}

/** The info file line by line. @throws InputError as `formatInfo` */
export function* infoLines(items: Iterable<Item>, index: SidIndex): Generator<string> {
  let id = 0;
  for (const { title } of items) {
    yield `${(index[id] ?? missing(id, 'index')).join('')}\t${infoTitle(title)}\t${id}\n`;
    id++;
  }
}

/** A row of a split's file. */
export interface ConvertedRow extends Row {
  /** Titles of the history, oldest first. */
  historyTitles: string[];
  /** Of the target. */
  title: string;
  /** SIDs of the history, oldest first. */
  historySids: string[];
  /** Of the target. */
  sid: string;
}

/** @throws InputError for a missing file, other columns, a cell that does not fit: file, line and mend */
export function readConverted(path: string): ConvertedRow[] {
  const [header, ...records] = parseCsv(readUtf8(path, 'run sidlab convert first'), path);
  if (header?.cells.join() !== CSV_COLUMNS.join()) {
    throw new InputError(
      `${path}:1: expected the columns ${CSV_COLUMNS.join()}, got ${header?.cells.join() ?? 'none'}`,
    );
  }
  return records.map(({ cells, line }) => parseRecord(cells, `${path}:${line}`));
}

/** A line of the info file. */
export interface InfoLine {
  /** SID in one text. */
  sid: string;
  /** Of the item. */
  title: string;
  /** Item id. */
  item: number;
}

/** @throws InputError for a missing file or a line that does not fit: file, line and mend */
export function readInfo(path: string): InfoLine[] {
  const lines = [...wholeLines(path, 'run sidlab convert first')];
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line, i) => {
    const match = /^(\S+)\t(.*)\t(\d+)\r?$/s.exec(line);
    if (!match)
      throw new InputError(`${path}:${i + 1}: expected SID, title and id between tabs; run sidlab convert again`);
    return { sid: match[1]!, title: match[2]!, item: Number(match[3]) };
  });
}

function parseRecord(cells: string[], where: string): ConvertedRow {
  if (cells.length !== CSV_COLUMNS.length) {
    throw new InputError(`${where}: expected ${CSV_COLUMNS.length} cells, got ${cells.length}; write the file anew`);
  }
  const [user, titles, title, ids, id, sids, sid] = cells as [string, string, string, string, string, string, string];
  const list = <T>(text: string, column: number, type: 'string' | 'number') => {
    const values = parsePythonList(text);
    if (values?.every((value) => typeof value === type)) return values as T[];
    const wanted = `${CSV_COLUMNS[column]!} to be a list of ${type}s as Python prints it`;
    throw new InputError(`${where}: expected ${wanted}, got ${text.slice(0, 60)}; write the file anew`);
  };
  if (!/^\d+$/.test(id))
    throw new InputError(`${where}: expected item_id to be a whole number, got ${id.slice(0, 60)}`);
  return {
    user,
    history: list<number>(ids, 3, 'number'),
    target: Number(id),
    historyTitles: list<string>(titles, 1, 'string'),
    title,
    historySids: list<string>(sids, 5, 'string'),
    sid,
  };
}

function missing(id: number, where: string): never {
  throw new InputError(`convert: item ${id} is not in the ${where}; run sidlab sid again on the same data`);
}
