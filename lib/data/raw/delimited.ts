/**
 * Interactions as delimited text, one a line, read from bytes.
 *
 * Plain lines cost no string; ids stay bytes until they are looked up. Times as in `times.ts`.
 */
import { InputError } from '../../support/errors.js';
import type { InteractionSink } from './interactions.js';
import { plainNumber } from './json-bytes.js';
import { RecordScanner } from './records.js';
import { secondsOf, TIME_EXPECTED, timeOf } from './times.js';
import { NAME_EXPECTED, nameOf, shown } from './values.js';

/** Places of the fields in a line, from 0. */
export interface Places {
  /** Column of the user. */
  user: number;
  /** Column of the item. */
  item: number;
  /** -1 where there is none; so for `stars`. */
  time: number;
  /** Column of the rating; -1 for none. */
  stars: number;
}

/** Reads interactions into columns. */
export class DelimitedScanner {
  private readonly records: RecordScanner;
  private readonly number = { value: 0 };
  private readonly fields: number;
  private line = 0;

  /**
   * @param places of the fields
   * @param skip records of header
   */
  constructor(
    private readonly into: InteractionSink,
    private readonly path: string,
    delimiter: string,
    private readonly places: Places,
    private skip: number,
  ) {
    this.fields = Math.max(places.user, places.item, places.time, places.stars) + 1;
    this.records = new RecordScanner(path, delimiter, (...record) => this.take(...record), this.fields);
  }

  /** Lines seen. */
  get lines(): number {
    return this.records.lines;
  }

  /** @param block whole lines @throws InputError for a line that does not fit: file, line and mend */
  scan(block: Uint8Array): void {
    this.records.scan(block);
  }

  /** @throws InputError if a quote is still open at the end of the file */
  end(): void {
    this.records.end();
  }

  private take(bytes: Uint8Array, starts: Int32Array, count: number, line: number): void {
    if (this.skip > 0) {
      this.skip--;
      return;
    }
    const { places, into } = this;
    this.line = line;
    if (count < this.fields) throw this.wrong(`${this.fields} fields`, count);
    const [userFrom, userTo] = [starts[places.user]!, starts[places.user + 1]! - 1];
    const [itemFrom, itemTo] = [starts[places.item]!, starts[places.item + 1]! - 1];
    this.checkName(bytes, userFrom, userTo, 'user');
    this.checkName(bytes, itemFrom, itemTo, 'item');
    const time = places.time < 0 ? into.length : this.time(bytes, starts[places.time]!, starts[places.time + 1]! - 1);
    const stars = places.stars < 0 ? 0 : this.stars(bytes, starts[places.stars]!, starts[places.stars + 1]! - 1);
    into.add(
      into.userNames.intern(bytes, userFrom, userTo),
      into.itemNames.intern(bytes, itemFrom, itemTo),
      time,
      stars,
    );
  }

  private checkName(bytes: Uint8Array, from: number, to: number, role: string): void {
    let good = to > from;
    for (let i = from; i < to; i++) if (bytes[i]! <= 32 || bytes[i]! > 126) good = false;
    if (good) return;
    const name = textAt(bytes, from, to);
    if (nameOf(name) === undefined) throw this.wrong(`${role} to be ${NAME_EXPECTED}`, name);
  }

  private time(bytes: Uint8Array, from: number, to: number): number {
    const plain = plainNumber(bytes, from, this.number) === to ? secondsOf(this.number.value) : NaN;
    if (plain === plain) return plain;
    const text = textAt(bytes, from, to);
    const time = timeOf(text);
    if (time !== undefined) return time;
    throw this.wrong(`time to be ${TIME_EXPECTED}`, text);
  }

  private stars(bytes: Uint8Array, from: number, to: number): number {
    if (plainNumber(bytes, from, this.number) === to) return this.number.value;
    return Number(textAt(bytes, from, to)) || 0;
  }

  private wrong(expected: string, got: unknown): InputError {
    return new InputError(
      `${this.path}:${this.line}: expected ${expected}, got ${shown(got)}; mend or remove the line`,
    );
  }
}

function textAt(bytes: Uint8Array, from: number, to: number): string {
  return decoder.decode(bytes.subarray(from, to));
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
