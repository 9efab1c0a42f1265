/**
 * A line of `results.jsonl` as the kit writes it, read from its bytes: three times as fast as `JSON.parse`. A line of any
 * other form (blanks, other order, escapes) is not read here, and the caller asks `JSON.parse`.
 */
import { exactDecimal } from '../files/exact-decimal.js';
import type { Result } from './result.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const [USER, HISTORY, TARGET] = ['{"user":"', '","history":[', '],"target":'].map(bytes) as [...Uint8Array[]];
const [ITEMS, SCORES, LOG_PROBS] = [',"items":[', '],"scores":[', ',"targetLogProbs":['].map(bytes) as [
  ...Uint8Array[],
];
const [NEWLINE, QUOTE, COMMA, BACKSLASH, CLOSE_LIST, CLOSE, ZERO] = [10, 34, 44, 92, 93, 125, 48];

const number = { value: 0 };

/** @returns the result and where the next line begins, or undefined for a line of another form */
export function scanResult(block: Buffer, at: number): { result: Result; next: number } | undefined {
  let place = skip(block, at, USER!);
  if (place < 0) return undefined;
  const from = place;
  let ascii = true;
  for (let byte = block[place]!; byte !== QUOTE; byte = block[++place]!) {
    if (byte === BACKSLASH || !(byte >= 32)) return undefined;
    if (byte >= 128) ascii = false;
  }
  const user = block.toString(ascii ? 'latin1' : 'utf8', from, place);
  const history: number[] = [];
  const items: number[] = [];
  const scores: number[] = [];
  place = wholeNumbers(block, skip(block, place, HISTORY!), history);
  place = wholeNumber(block, skip(block, place, TARGET!));
  const target = number.value;
  place = wholeNumbers(block, skip(block, place, ITEMS!), items);
  place = decimals(block, skip(block, place, SCORES!), scores);
  if (place < 0 || scores.length !== items.length) return undefined;
  const result: Result = { user, history, target, items, scores };
  if (block[++place] === COMMA) {
    result.targetLogProbs = [];
    place = decimals(block, skip(block, place, LOG_PROBS!), result.targetLogProbs);
    if (place < 0) return undefined;
    place++;
  }
  return block[place] === CLOSE && block[place + 1] === NEWLINE ? { result, next: place + 2 } : undefined;
}

/** Where `text` ends that begins at `at`; -1 if it does not, or if `at` is -1. */
function skip(block: Uint8Array, at: number, text: Uint8Array): number {
  if (at < 0) return -1;
  for (let i = 0; i < text.length; i++) if (block[at + i] !== text[i]) return -1;
  return at + text.length;
}

/** A whole number from 0 of at most 9 digits, into `number`. */
function wholeNumber(block: Uint8Array, at: number): number {
  if (at < 0) return -1;
  const from = at;
  let value = 0;
  for (let digit = block[at]! - ZERO; digit >= 0 && digit <= 9; digit = block[++at]! - ZERO) value = 10 * value + digit;
  if (at === from || at - from > 9 || (block[from] === ZERO && at > from + 1)) return -1;
  number.value = value;
  return at;
}

/** A list's elements, up to its bracket. */
function wholeNumbers(block: Uint8Array, at: number, into: number[]): number {
  if (at < 0 || block[at] === CLOSE_LIST) return at;
  for (;;) {
    at = wholeNumber(block, at);
    if (at < 0) return -1;
    into.push(number.value);
    if (block[at] === CLOSE_LIST) return at;
    if (block[at++] !== COMMA) return -1;
  }
}

function decimals(block: Uint8Array, at: number, into: number[]): number {
  if (at < 0 || block[at] === CLOSE_LIST) return at;
  for (;;) {
    at = exactDecimal(block, at, number);
    if (at < 0) return -1;
    into.push(number.value);
    if (block[at] === CLOSE_LIST) return at;
    if (block[at++] !== COMMA) return -1;
  }
}
