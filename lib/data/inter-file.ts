/**
 * `NAME.{train,valid,test}.inter`: rows as tab-separated text (RecBole's atomic file, as MiniOneRec writes it).
 * Header `user_id:token  item_id_list:token_seq  item_id:token`; the history's ids are separated by spaces.
 */
import { readLines } from '../files/files.js';
import { linesInPieces } from '../files/line-pieces.js';
import { InputError } from '../support/errors.js';
import type { Row } from './dataset.js';

/** First line of a `.inter` file: names and types of its columns. */
export const INTER_HEADER = 'user_id:token\titem_id_list:token_seq\titem_id:token';

/** Rows -> the text of a `.inter` file. */
export function formatInter(rows: readonly Row[]): string {
  return [
    INTER_HEADER,
    ...rows.map(({ user, history, target }) => `${user}\t${history.join(' ')}\t${target}`),
    '',
  ].join('\n');
}

/**
 * @param items number of items; ids must lie below
 * @throws InputError for a missing file, another header, a line that does not fit: file, line and mend
 */
export async function readInter(path: string, items: number): Promise<Row[]> {
  const rows: Row[] = [];
  const parser = new RowParser(path, items);
  for await (const { text, number } of readLines(path)) {
    const row = parser.row(text, number);
    if (row) rows.push(row);
  }
  parser.end();
  return rows;
}

/** The rows one by one, for files that memory does not hold. @throws InputError as `readInter` */
export function* interRows(path: string, items: number): Generator<Row> {
  const parser = new RowParser(path, items);
  let number = 0;
  for (const line of linesInPieces(path)) {
    number++;
    const text = line.endsWith('\r') ? line.slice(0, -1) : line;
    const row = text === '' ? undefined : parser.row(text, number);
    if (row) yield row;
  }
  parser.end();
}

/** Rows of a file's lines, the first of which is its header. */
export class RowParser {
  private headed = false;

  /** @param items number of items; ids must lie below */
  constructor(
    private readonly path: string,
    private readonly items: number,
  ) {}

  /** @returns undefined for the header @throws InputError for a line that does not fit */
  row(text: string, number: number): Row | undefined {
    const where = `${this.path}:${number}`;
    if (this.headed) return parseRow(text, this.items, where);
    if (text !== INTER_HEADER) {
      throw new InputError(`${where}: expected the header ${JSON.stringify(INTER_HEADER)}; run sidlab filter again`);
    }
    this.headed = true;
    return undefined;
  }

  /** @throws InputError if there was no header */
  end(): void {
    if (this.headed) return;
    throw new InputError(`${this.path}: expected a header, got an empty file; run sidlab filter again`);
  }
}

function parseRow(text: string, items: number, where: string): Row {
  const fields = text.split('\t');
  if (fields.length !== 3) {
    throw new InputError(`${where}: expected 3 fields between tabs, got ${fields.length}; run sidlab filter again`);
  }
  const [user, history, target] = fields as [string, string, string];
  return {
    user,
    history: history.split(' ').map((id) => parseId(id, items, where)),
    target: parseId(target, items, where),
  };
}

function parseId(text: string, items: number, where: string): number {
  const id = Number(text);
  if (/^\d+$/.test(text) && id < items) return id;
  throw new InputError(
    `${where}: expected an item id from 0 to ${items - 1}, got ${JSON.stringify(text)}; run sidlab filter again`,
  );
}
