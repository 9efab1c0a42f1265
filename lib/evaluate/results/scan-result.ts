/**
 * A line of `results.jsonl` as the kit writes it, read from its bytes into columns: several times as fast as
 * `JSON.parse`. A line of any other form (blanks, other order, escapes) is not read here, and the caller asks
 * `JSON.parse`.
 */
import { exactDecimal } from '../../files/exact-decimal.js';
import type { ResultColumnsBuilder } from './result-columns.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const [USER, HISTORY, TARGET] = ['{"user":"', '","history":[', '],"target":'].map(bytes) as [...Uint8Array[]];
const [ITEMS, SCORES, LOG_PROBS] = [',"items":[', '],"scores":[', ',"targetLogProbs":['].map(bytes) as [
  ...Uint8Array[],
];
const [NEWLINE, QUOTE, COMMA, BACKSLASH, CLOSE_LIST, CLOSE, ZERO] = [10, 34, 44, 92, 93, 125, 48];

const number = { value: 0 };

/**
 * @param columns with room for the line; on failure nothing is added
 * @returns where the next line begins, or -1 for a line of another form
 */
export function scanResult(block: Buffer, at: number, columns: ResultColumnsBuilder): number {
  const before = columns.used;
  const next = scanLine(block, at, columns);
  if (next < 0) columns.used = before;
  return next;
}

function scanLine(block: Buffer, at: number, columns: ResultColumnsBuilder): number {
  const from = skip(block, at, USER!);
  const to = from < 0 ? -1 : nameEnd(block, from);
  let used = columns.used;
  let place = wholeNumbers(block, skip(block, to, HISTORY!), columns);
  const history = columns.used - used;
  place = wholeNumber(block, skip(block, place, TARGET!), columns);
  used = columns.used;
  place = wholeNumbers(block, skip(block, place, ITEMS!), columns);
  const items = columns.used - used;
  used = columns.used;
  place = decimals(block, skip(block, place, SCORES!), columns);
  if (place < 0 || columns.used - used !== items) return -1;
  let logProbs = -1;
  if (block[++place] === COMMA) {
    used = columns.used;
    place = decimals(block, skip(block, place, LOG_PROBS!), columns);
    if (place < 0) return -1;
    logProbs = columns.used - used;
    place++;
  }
  if (block[place] !== CLOSE || block[place + 1] !== NEWLINE) return -1;
  columns.add(block.toString('utf8', from, to), history, items, logProbs);
  return place + 2;
}

/** Where a name without escapes ends; -1 for another. */
function nameEnd(block: Uint8Array, at: number): number {
  for (let byte = block[at]!; byte !== QUOTE; byte = block[++at]!) if (byte === BACKSLASH || !(byte >= 32)) return -1;
  return at;
}

/** Where `text` ends that begins at `at`; -1 if it does not, or if `at` is -1. */
function skip(block: Uint8Array, at: number, text: Uint8Array): number {
  if (at < 0) return -1;
  for (let i = 0; i < text.length; i++) if (block[at + i] !== text[i]) return -1;
  return at + text.length;
}

/** A whole number from 0 of at most 9 digits. @returns where it ends, or -1 */
function wholeNumber(block: Uint8Array, at: number, columns: ResultColumnsBuilder): number {
  if (at < 0) return -1;
  const from = at;
  let value = 0;
  for (let digit = block[at]! - ZERO; digit >= 0 && digit <= 9; digit = block[++at]! - ZERO) value = 10 * value + digit;
  if (at === from || at - from > 9 || (block[from] === ZERO && at > from + 1)) return -1;
  columns.values[columns.used++] = value;
  return at;
}

/** A list's elements, up to its bracket. */
function wholeNumbers(block: Uint8Array, at: number, columns: ResultColumnsBuilder): number {
  if (at < 0 || block[at] === CLOSE_LIST) return at;
  for (;;) {
    at = wholeNumber(block, at, columns);
    if (at < 0 || block[at] === CLOSE_LIST) return at;
    if (block[at++] !== COMMA) return -1;
  }
}

function decimals(block: Uint8Array, at: number, columns: ResultColumnsBuilder): number {
  if (at < 0 || block[at] === CLOSE_LIST) return at;
  for (;;) {
    at = exactDecimal(block, at, number);
    if (at < 0) return -1;
    columns.values[columns.used++] = number.value;
    if (block[at] === CLOSE_LIST) return at;
    if (block[at++] !== COMMA) return -1;
  }
}
