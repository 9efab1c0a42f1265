/**
 * One JSON object a line, read from bytes: four fields of each line without building the object.
 *
 * A line of the plain shape (strict JSON; ids of visible ASCII without escapes; numbers without exponents) is read in
 * one pass over its bytes. Any other line, the broken ones too, is left to `JSON.parse`, so that nothing is accepted
 * or refused that the parser would not, and every message stays the parser's.
 */
import { KINDS, isSpace, plainNumber, skipString, skipValue } from './json-bytes.js';
import type { InteractionsBuilder } from './interactions.js';
import type { Review } from './reviews.js';

const [QUOTE, COMMA, COLON, OPEN, CLOSE, NEWLINE] = [34, 44, 58, 123, 125, 10];

/** Names of the fields; the time's unit is `perSecond` parts of a second. */
export interface ReviewFields {
  user: string;
  item: string;
  time: string;
  stars: string;
  perSecond: number;
}

export class JsonLinesScanner {
  /** Lines seen. */
  lines = 0;
  /** Lines that `JSON.parse` had to read. */
  slow = 0;
  private readonly names: Uint8Array[];
  private readonly number = { value: 0 };

  /** @param parse reads a line that is not plain, or throws */
  constructor(
    private readonly into: InteractionsBuilder,
    private readonly fields: ReviewFields,
    private readonly parse: (text: string, line: number) => Review,
  ) {
    this.names = [fields.user, fields.item, fields.time, fields.stars].map((name) => new TextEncoder().encode(name));
  }

  /** @param block whole lines */
  scan(block: Uint8Array): void {
    for (let at = 0; at < block.length;) {
      const end = this.plainLine(block, at);
      at = end > 0 ? end : this.slowLine(block, at);
      this.lines++;
    }
  }

  /** Adds the review of the line at `at`. @returns where the next line begins, or -1 if this one is not plain */
  private plainLine(block: Uint8Array, at: number): number {
    let [userFrom, userTo, itemFrom, itemTo, time, stars] = [0, 0, 0, 0, NaN, 0];
    if (block[at++] !== OPEN) return -1;
    for (;;) {
      while (isSpace(block[at]!)) at++;
      if (block[at] !== QUOTE) return -1;
      const key = ++at;
      while (KINDS[block[at]!] === 0) at++; // a key with an escape ends here, and is not plain
      const keyEnd = at;
      if (block[at++] !== QUOTE) return -1;
      while (isSpace(block[at]!)) at++;
      if (block[at++] !== COLON) return -1;
      while (isSpace(block[at]!)) at++;
      const field = this.fieldOf(block, key, keyEnd);
      const from = at;
      if (field === 0 || field === 1) {
        at = skipName(block, at);
        if (at < 0) return -1;
        if (field === 0) [userFrom, userTo] = [from + 1, at - 1];
        else [itemFrom, itemTo] = [from + 1, at - 1];
      } else if (field > 1) {
        at = plainNumber(block, at, this.number);
        if (at < 0) return -1;
        if (field === 2) time = this.number.value;
        else stars = this.number.value;
      } else {
        at = block[at] === QUOTE ? skipString(block, at) : skipValue(block, at, 0);
        if (at < 0) return -1;
      }
      while (isSpace(block[at]!)) at++;
      if (block[at] === COMMA) at++;
      else break;
    }
    if (block[at++] !== CLOSE) return -1;
    while (isSpace(block[at]!)) at++;
    if (block[at++] !== NEWLINE || userTo === 0 || itemTo === 0 || time !== time) return -1;
    const { into } = this;
    const user = into.userNames.number(block, userFrom, userTo);
    const item = into.itemNames.number(block, itemFrom, itemTo);
    into.add(user, item, time / this.fields.perSecond, stars);
    return at;
  }

  /** 0 user, 1 item, 2 time, 3 stars, -1 another. */
  private fieldOf(block: Uint8Array, from: number, to: number): number {
    for (let field = 0; field < 4; field++) {
      const name = this.names[field]!;
      if (name.length !== to - from) continue;
      let i = 0;
      while (i < name.length && block[from + i] === name[i]) i++;
      if (i === name.length) return field;
    }
    return -1;
  }

  private slowLine(block: Uint8Array, at: number): number {
    const end = block.indexOf(NEWLINE, at);
    const bytes = block.subarray(at, end > at && block[end - 1] === 13 ? end - 1 : end);
    // A byte order mark opens a file, never a line.
    const text = new TextDecoder('utf-8', { ignoreBOM: this.lines > 0 }).decode(bytes);
    if (text !== '') {
      this.slow++;
      this.into.addReview(this.parse(text, this.lines + 1));
    }
    return end + 1;
  }
}

/** A string of visible ASCII without escapes, at least one. @returns where it ends, or -1 */
function skipName(block: Uint8Array, at: number): number {
  if (block[at++] !== QUOTE) return -1;
  const from = at;
  while (KINDS[block[at]!] === 0 && block[at]! > 32 && block[at]! < 127) at++;
  return at > from && block[at] === QUOTE ? at + 1 : -1;
}
