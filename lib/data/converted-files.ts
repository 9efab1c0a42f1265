/**
 * MiniOneRec's files for its own training and evaluation: `{train,valid,test}/NAME.csv` and `info/NAME.txt`.
 * Written byte for byte as pandas and Python write them; read back with checks.
 */
import { readText } from '../files/files.js';
import { InputError } from '../support/errors.js';
import { formatCsv, parseCsv } from './csv.js';
import type { Item, Row } from './dataset.js';
import { parsePythonList, pythonList } from './python.js';
import type { SidIndex } from './sid-index.js';

export const CSV_COLUMNS = [
  'user_id',
  'history_item_title',
  'item_title',
  'history_item_id',
  'item_id',
  'history_item_sid',
  'item_sid',
] as const;

/** @throws InputError if an id of a row lacks an item or a SID */
export function formatConverted(rows: readonly Row[], items: readonly Item[], index: SidIndex): string {
  const sids = index.map((tokens) => tokens.join(''));
  const sid = (id: number) => sids[id] ?? missing(id, 'index');
  const title = (id: number) => items[id]?.title ?? missing(id, 'item file');
  const records = rows.map(({ user, history, target }) => [
    user,
    pythonList(history.map(title)),
    title(target),
    pythonList(history),
    String(target),
    pythonList(history.map(sid)),
    sid(target),
  ]);
  return formatCsv([CSV_COLUMNS, ...records]);
}

/** A line an item: SID, title, id, tabs between. @throws InputError if an item lacks a SID */
export function formatInfo(items: readonly Item[], index: SidIndex): string {
  return items.map(({ title }, id) => `${(index[id] ?? missing(id, 'index')).join('')}\t${title}\t${id}\n`).join('');
}

export interface ConvertedRow extends Row {
  historyTitles: string[];
  title: string;
  historySids: string[];
  sid: string;
}

/** @throws InputError for a missing file, other columns, a cell that does not fit: file, line and mend */
export function readConverted(path: string): ConvertedRow[] {
  const [header, ...records] = parseCsv(readText(path, 'run sidlab convert first'), path);
  if (header?.cells.join() !== CSV_COLUMNS.join()) {
    throw new InputError(
      `${path}:1: expected the columns ${CSV_COLUMNS.join()}, got ${header?.cells.join() ?? 'none'}`,
    );
  }
  return records.map(({ cells, line }) => parseRecord(cells, `${path}:${line}`));
}

export interface InfoLine {
  sid: string;
  title: string;
  item: number;
}

/** @throws InputError for a missing file or a line that does not fit: file, line and mend */
export function readInfo(path: string): InfoLine[] {
  const lines = readText(path, 'run sidlab convert first').split('\n');
  return lines.slice(0, lines.at(-1) === '' ? -1 : undefined).map((line, i) => {
    const match = /^(\S+)\t(.*)\t(\d+)\r?$/.exec(line);
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
