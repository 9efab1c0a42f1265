/**
 * One JSON object a line, read from bytes: four fields of each line without building the object.
 *
 * A line of the plain shape (strict JSON; ids of visible ASCII without escapes; numbers without exponents; a time
 * whose unit its magnitude tells) is read in one pass over its bytes, by whatever thread has them (`read-json-lines.ts`). Any other line, the broken ones too, is
 * left to `JSON.parse`, so that nothing is accepted or refused that the parser would not, and every message stays the
 * parser's.
 */
import { grown } from './id-table.js';
import type { InteractionSink } from './interactions.js';
import { isSpace, KINDS, plainNumber, skipString, skipValue } from './json-bytes.js';
import type { Review, ReviewFields } from './reviews.js';
import { secondsOf } from './times.js';

const [QUOTE, COMMA, COLON, OPEN, CLOSE, NEWLINE] = [34, 44, 58, 123, 125, 10];

/** What a block of lines says, without a name looked up: made wherever the bytes are, taken where the columns are. */
export interface FoundLines {
  /** Those that are not empty. */
  count: number;
  /** What `places` points into. */
  bytes: Uint8Array;
  /**
   * Four a line: where the user's name begins and ends, where the item's does. A line that is not plain: -1, its
   * number in the file, where its text begins and ends.
   */
  places: Int32Array;
  /** Two a line: seconds and stars. */
  numbers: Float64Array;
}

/** Finds the fields of each line. */
export class JsonLinesFinder {
  /** Lines seen. */
  lines = 0;
  private readonly names: Uint8Array[];
  private readonly number = { value: 0 };
  private count = 0;
  private places = new Int32Array(4 << 10);
  private numbers = new Float64Array(2 << 10);

  constructor(fields: ReviewFields) {
    this.names = [fields.user, fields.item, fields.time, fields.stars].map((name) => new TextEncoder().encode(name));
  }

  /** @param block whole lines @returns places in the block itself, good until the next call */
  find(block: Uint8Array): FoundLines {
    this.count = 0;
    for (let at = 0; at < block.length;) {
      const end = this.plainLine(block, at);
      at = end > 0 ? end : this.otherLine(block, at);
      this.lines++;
    }
    const { count, places, numbers } = this;
    return { count, bytes: block, places, numbers };
  }

  /** @returns where the next line begins, or -1 if this one is not plain */
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
        if (field === 2) time = secondsOf(this.number.value);
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
    this.add(userFrom, userTo, itemFrom, itemTo, time, stars);
    return at;
  }

  /** 0 user, 1 item, 2 time, 3 stars, -1 another. */
  private fieldOf(block: Uint8Array, from: number, to: number): number {
    for (let field = 0; field < 4; field++) {
      const name = this.names[field]!;
      if (name.length !== to - from) continue;
      let i = name.length - 1; // from the end: what names share is their beginning
      while (i >= 0 && block[from + i] === name[i]) i--;
      if (i < 0) return field;
    }
    return -1;
  }

  private otherLine(block: Uint8Array, at: number): number {
    const end = block.indexOf(NEWLINE, at);
    const to = end > at && block[end - 1] === 13 ? end - 1 : end;
    if (to > at) this.add(-1, this.lines + 1, at, to, 0, 0);
    return end + 1;
  }

  private add(a: number, b: number, c: number, d: number, seconds: number, stars: number): void {
    const at = this.count++;
    if (2 * at === this.numbers.length) {
      this.places = grown(this.places, 8 * at);
      this.numbers = grown(this.numbers, 4 * at);
    }
    const { places, numbers } = this;
    places[4 * at] = a;
    places[4 * at + 1] = b;
    places[4 * at + 2] = c;
    places[4 * at + 3] = d;
    numbers[2 * at] = seconds;
    numbers[2 * at + 1] = stars;
  }
}

/** A copy whose bytes are the names alone (and lines that are not plain), for another thread. */
export function packLines({ count, bytes, places, numbers }: FoundLines): FoundLines {
  const packed = places.slice(0, 4 * count);
  let size = 0;
  for (let i = 0; i < packed.length; i += 4) {
    size += packed[i + 3]! - packed[i + 2]! + (packed[i]! < 0 ? 0 : packed[i + 1]! - packed[i]!);
  }
  const names = new Uint8Array(size);
  let to = 0;
  const move = (at: number): void => {
    const [from, end] = [packed[at]!, packed[at + 1]!];
    packed[at] = to;
    for (let i = from; i < end; i++) names[to++] = bytes[i]!;
    packed[at + 1] = to;
  };
  for (let i = 0; i < packed.length; i += 4) {
    if (packed[i]! >= 0) move(i);
    move(i + 2);
  }
  return { count, bytes: names, places: packed, numbers: numbers.slice(0, 2 * count) };
}

/**
 * Adds what was found to the columns.
 * @param parse reads a line that is not plain, or throws
 */
export function takeLines(
  { count, bytes, places, numbers }: FoundLines,
  into: InteractionSink,
  parse: (text: string, line: number) => Review,
): void {
  for (let at = 0; at < count; at++) {
    const [a, b, c, d] = [places[4 * at]!, places[4 * at + 1]!, places[4 * at + 2]!, places[4 * at + 3]!];
    if (a >= 0) {
      const user = into.userNames.intern(bytes, a, b);
      into.add(user, into.itemNames.intern(bytes, c, d), numbers[2 * at]!, numbers[2 * at + 1]!);
      continue;
    }
    // A byte order mark opens a file, never a line.
    const text = new TextDecoder('utf-8', { ignoreBOM: b > 1 }).decode(bytes.subarray(c, d));
    if (text === '') continue;
    const { user, asin, time, stars } = parse(text, b);
    into.add(into.userNames.id(user), into.itemNames.id(asin), time, stars);
  }
}

/** A string of visible ASCII without escapes, at least one. @returns where it ends, or -1 */
function skipName(block: Uint8Array, at: number): number {
  if (block[at++] !== QUOTE) return -1;
  const from = at;
  while (KINDS[block[at]!] === 0 && block[at]! > 32 && block[at]! < 127) at++;
  return at > from && block[at] === QUOTE ? at + 1 : -1;
}
