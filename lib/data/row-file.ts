/**
 * The rows of a `.inter` file that memory need not hold: of each the place of its line is kept, and a row is read and
 * parsed when one of its fields is asked for. Rows that follow one another are read in blocks.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { linesInPieces } from '../files/line-pieces.js';
import type { Row } from './dataset.js';
import { RowParser } from './inter-file.js';

/** Bytes that are read at once: few, as rows are asked for in any order. */
const BLOCK = 1 << 12;

/**
 * The rows in the file's order. Each line is checked once. An element's fields are read anew each time: it cannot be
 * spread, and what is asked of several fields at once is best asked of a copy.
 * @param path a file of UTF-8, not compressed, without a byte order mark, which stays as it is while rows are asked for
 * @param items number of items; ids must lie below
 * @throws InputError as `readInter`; and later, at a row, if the file has become another
 */
export function rowsOnDisk(path: string, items: number): Row[] {
  const file = new RowFile(path, items);
  return Array.from({ length: file.count }, (_, number) => new FileRow(file, number));
}

class FileRow implements Row {
  readonly #file: RowFile;
  readonly #number: number;

  constructor(file: RowFile, number: number) {
    this.#file = file;
    this.#number = number;
  }

  get user(): string {
    return this.#file.row(this.#number).user;
  }

  get history(): number[] {
    return this.#file.row(this.#number).history;
  }

  get target(): number {
    return this.#file.row(this.#number).target;
  }
}

/** Closes files whose rows are gone. */
const open = new FinalizationRegistry<number>((file) => closeSync(file));

class RowFile {
  private readonly parser: RowParser;
  private readonly file: number;
  /** Place of each row's line, and its number in the file, from 1. */
  private readonly starts: Float64Array;
  private readonly lines: Float64Array;
  private buffer = Buffer.allocUnsafe(BLOCK);
  /** What of it was read last, and from which byte on. */
  private block = this.buffer.subarray(0, 0);
  private blockStart = 0;
  /** The row that was asked for last, whose other fields often follow. */
  private last: { number: number; row: Row } | undefined;

  constructor(path: string, items: number) {
    this.parser = new RowParser(path, items);
    this.file = openSync(path, 'r');
    open.register(this, this.file);
    const [starts, lines]: [number[], number[]] = [[], []];
    let [at, number] = [0, 0];
    for (const line of linesInPieces(path)) {
      number++;
      const text = line.endsWith('\r') ? line.slice(0, -1) : line;
      if (text !== '' && this.parser.row(text, number)) {
        starts.push(at);
        lines.push(number);
      }
      at += Buffer.byteLength(line) + 1;
    }
    this.parser.end();
    [this.starts, this.lines] = [Float64Array.from(starts), Float64Array.from(lines)];
  }

  get count(): number {
    return this.starts.length;
  }

  row(number: number): Row {
    if (this.last?.number !== number) {
      const row = this.parser.row(this.lineAt(this.starts[number]!), this.lines[number]!);
      this.last = { number, row: row! };
    }
    return this.last.row;
  }

  /** The line that begins at a byte. */
  private lineAt(start: number): string {
    for (let size = BLOCK; ; size *= 2) {
      const from = start - this.blockStart;
      const end = from >= 0 ? this.block.indexOf(10, from) : -1;
      if (end >= 0) return this.textOf(from, end);
      if (this.buffer.length < size) this.buffer = Buffer.allocUnsafe(size);
      const got = readSync(this.file, this.buffer, 0, size, start);
      [this.block, this.blockStart] = [this.buffer.subarray(0, got), start];
      if (got < size && !this.block.includes(10)) return this.textOf(0, got); // the last line
    }
  }

  private textOf(from: number, end: number): string {
    return this.block.toString('utf8', from, this.block[end - 1] === 13 ? end - 1 : end);
  }
}
