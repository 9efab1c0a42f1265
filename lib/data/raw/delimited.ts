/**
 * Interactions a line, fields parted by one byte (tab, comma, colon), read from bytes.
 *
 * A comma-separated line with a quote goes through the CSV parser, together with the lines after it while a quote is open. Times are
 * seconds; numbers of 1e11 and more (in seconds the year 5138) are milliseconds; dates such as `2018-10-31` or
 * `2018-10-31T12:00:00Z` are UTC.
 */
import { InputError } from '../../support/errors.js';
import { parseCsv } from '../csv.js';
import type { InteractionsBuilder } from './interactions.js';
import { plainNumber } from './json-bytes.js';

const [QUOTE, COMMA, NEWLINE, RETURN] = [34, 44, 10, 13];

export interface Places {
  user: number;
  item: number;
  /** -1 where there is none; so for `stars`. */
  time: number;
  stars: number;
}

export class DelimitedScanner {
  /** Lines seen. */
  lines = 0;
  private open = '';
  private starts = new Int32Array(64);
  private readonly number = { value: 0 };
  private readonly fields: number;
  private readonly delimiter: number;

  /**
   * @param places of the fields
   * @param skip lines of header
   */
  constructor(
    private readonly into: InteractionsBuilder,
    private readonly path: string,
    delimiter: string,
    private readonly places: Places,
    private skip: number,
  ) {
    this.fields = Math.max(places.user, places.item, places.time, places.stars) + 1;
    this.delimiter = delimiter.charCodeAt(0);
    this.starts = new Int32Array(this.fields + 2);
  }

  /** @param block whole lines */
  scan(block: Uint8Array): void {
    for (let at = 0; at < block.length;) {
      let end = at;
      let [count, quoted] = [1, false];
      const { starts, delimiter, fields } = this;
      starts[0] = at;
      for (let byte = block[end]!; byte !== NEWLINE; byte = block[++end]!) {
        if (byte === delimiter && count <= fields) starts[count++] = end + 1;
        else if (byte === QUOTE && delimiter === COMMA) quoted = true;
      }
      this.lines++;
      const last = end > at && block[end - 1] === RETURN ? end - 1 : end;
      if (count <= fields) starts[count] = last + 1;
      if (this.skip > 0) this.skip--;
      else if (quoted || this.open !== '') this.quotedLine(block.subarray(at, last));
      else if (last > at) this.plainLine(block, count);
      at = end + 1;
    }
  }

  /** @throws InputError if a quote is still open at the end of the file */
  end(): void {
    if (this.open !== '')
      throw new InputError(`${this.path}:${this.lines}: a quote is not closed; write the file anew`);
  }

  private plainLine(block: Uint8Array, count: number): void {
    const { places, starts, into } = this;
    if (count < this.fields) throw this.wrong(`${this.fields} fields`, `${count}`);
    const [userFrom, userTo] = [starts[places.user]!, starts[places.user + 1]! - 1];
    const [itemFrom, itemTo] = [starts[places.item]!, starts[places.item + 1]! - 1];
    this.checkName(block, userFrom, userTo, 'user');
    this.checkName(block, itemFrom, itemTo, 'item');
    const time = places.time < 0 ? into.length : this.time(block, starts[places.time]!, starts[places.time + 1]! - 1);
    const stars = places.stars < 0 ? 0 : this.stars(block, starts[places.stars]!, starts[places.stars + 1]! - 1);
    into.add(
      into.userNames.intern(block, userFrom, userTo),
      into.itemNames.intern(block, itemFrom, itemTo),
      time,
      stars,
    );
  }

  private quotedLine(line: Uint8Array): void {
    const text = this.open + new TextDecoder().decode(line);
    this.open = (text.split('"').length - 1) % 2 === 1 ? `${text}\n` : '';
    if (this.open !== '') return;
    const cells = parseCsv(text, this.path)[0]!.cells;
    const bytes = cells.map((cell) => new TextEncoder().encode(cell));
    const joined = Buffer.concat(bytes.flatMap((cell) => [cell, Uint8Array.of(0)]));
    if (cells.length < this.fields) throw this.wrong(`${this.fields} fields`, `${cells.length}`);
    let at = 0;
    for (let field = 0; field <= this.fields; field++) {
      this.starts[field] = at;
      at += (bytes[field]?.length ?? 0) + 1;
    }
    this.plainLine(joined, cells.length);
  }

  /** Ids stand in tab- and space-separated files: no white space, not empty. */
  private checkName(block: Uint8Array, from: number, to: number, role: string): void {
    let good = to > from;
    for (let i = from; i < to; i++) if (block[i]! <= 32) good = false;
    if (!good) throw this.wrong(`${role} to be text without spaces`, textOf(block, from, to));
  }

  private time(block: Uint8Array, from: number, to: number): number {
    const end = plainNumber(block, from, this.number);
    if (end === to) return seconds(this.number.value);
    const text = textOf(block, from, to);
    const time = timeOf(text);
    if (time !== undefined) return time;
    throw this.wrong('time in seconds, milliseconds or as a date', text);
  }

  private stars(block: Uint8Array, from: number, to: number): number {
    if (plainNumber(block, from, this.number) === to) return this.number.value;
    return Number(textOf(block, from, to)) || 0;
  }

  private wrong(expected: string, got: string): InputError {
    return new InputError(
      `${this.path}:${this.lines}: expected ${expected}, got ${JSON.stringify(got.slice(0, 60))}; mend or remove the line`,
    );
  }
}

/** A number or a date as seconds; undefined for neither. */
export function timeOf(text: string): number | undefined {
  const number = text.trim() === '' ? NaN : Number(text);
  if (Number.isFinite(number)) return seconds(number);
  if (!/^\d{4}-\d\d-\d\d/.test(text)) return undefined;
  const zoned = /([zZ]|[+-]\d\d:?\d\d)$/.test(text.slice(10)) || text.length === 10 ? text : `${text}Z`;
  const time = Date.parse(zoned.replace(/^(.{10}) /, '$1T'));
  return Number.isFinite(time) ? time / 1000 : undefined;
}

function seconds(time: number): number {
  return Math.abs(time) >= 1e11 ? time / 1000 : time;
}

function textOf(block: Uint8Array, from: number, to: number): string {
  return new TextDecoder().decode(block.subarray(from, to));
}
