/**
 * JSON as data sets hold it: Python's `NaN` and `Infinity` are null, and whole numbers that a double does not hold
 * (ids of 2^53 and more) are texts of the same digits, so that no two of them become one.
 */
import { InputError } from '../../support/errors.js';

const TOKEN = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|NaN|-?Infinity/g;

/** @throws SyntaxError for what is no JSON */
export function parseJson(text: string): unknown {
  const exact = /\d{16}/.test(text) ? outsideTexts(text, quoteLarge) : text;
  try {
    return JSON.parse(exact) as unknown;
  } catch (error) {
    if (!/NaN|Infinity/.test(exact)) throw error;
    const nulls = (token: string) => (/^(NaN|-?Infinity)$/.test(token) ? 'null' : token);
    return JSON.parse(outsideTexts(exact, nulls)) as unknown;
  }
}

function quoteLarge(token: string): string {
  return /^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token)) ? `"${token}"` : token;
}

/** Replaces numbers, `NaN` and `Infinity` that are no part of a text. */
function outsideTexts(json: string, replace: (token: string) => string): string {
  const parts: string[] = [];
  for (let at = 0; at < json.length;) {
    const open = json.indexOf('"', at);
    const end = open < 0 ? json.length : open;
    parts.push(json.slice(at, end).replace(TOKEN, replace));
    at = end;
    if (open < 0) break;
    at++;
    while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
    at++;
    parts.push(json.slice(open, at));
  }
  return parts.join('');
}

/** One line of a JSONL file; `NaN` is null. @throws InputError unless it is a JSON object */
export function parseObject(text: string, where: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch {
    throw new InputError(`${where}: not valid JSON (${shorten(text)}); mend or remove the line`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InputError(`${where}: expected a JSON object, got ${shorten(text)}; mend or remove the line`);
  }
  return value as Record<string, unknown>;
}

function shorten(text: string): string {
  const plain = text.slice(0, 200).replace(/\p{Cc}+/gu, ' ');
  return plain.length > 60 ? `${plain.slice(0, 60)}...` : plain;
}

const [QUOTE, BACKSLASH, COMMA, COLON, OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = [34, 92, 44, 58, 123, 125, 91, 93];

/** A member of a JSON object. */
export interface Member {
  /** Its name. */
  key: string;
  /** As parsed. */
  value: unknown;
}

/**
 * The members of a file that is one JSON object, parsed one by one: the whole may be longer than a string can be.
 * Order and repeated keys as in a JavaScript object: whole numbers first, by size; the last value of a key counts.
 * @param bytes UTF-8, white space before and after allowed
 * @throws SyntaxError for what is no JSON object, its message ending in the line
 */
export function* jsonMembers(bytes: Uint8Array): Generator<Member> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const text = (from: number, to: number) => decoder.decode(bytes.subarray(from, to));
  const places: Record<string, [from: number, to: number]> = Object.create(null) as typeof places;
  for (const { key, from, to } of memberPlaces(bytes, text)) places[key] = [from, to];
  for (const key of Object.keys(places)) {
    const [from, to] = places[key]!;
    yield { key, value: parseAt(bytes, from, () => parseJson(text(from, to))) };
  }
}

function* memberPlaces(
  bytes: Uint8Array,
  text: (from: number, to: number) => string,
): Generator<{ key: string; from: number; to: number }> {
  let at = skipSpaces(bytes, 0);
  if (bytes[at] !== OPEN) throw failure(bytes, at, 'expected an object');
  at = skipSpaces(bytes, at + 1);
  if (bytes[at] !== CLOSE) {
    for (;;) {
      if (bytes[at] !== QUOTE) throw failure(bytes, at, 'expected a key');
      const keyEnd = endOfString(bytes, at);
      const keyAt = at;
      const key = parseAt(bytes, at, () => JSON.parse(text(keyAt, keyEnd)) as string);
      at = skipSpaces(bytes, keyEnd);
      if (bytes[at] !== COLON) throw failure(bytes, at, 'expected a colon');
      const from = skipSpaces(bytes, at + 1);
      at = endOfValue(bytes, from);
      yield { key, from, to: at };
      if (bytes[at] === CLOSE) break;
      if (bytes[at] !== COMMA) throw failure(bytes, at, 'expected a comma');
      at = skipSpaces(bytes, at + 1);
    }
  }
  at = skipSpaces(bytes, at + 1);
  if (at < bytes.length) throw failure(bytes, at, 'expected the end of the file');
}

/** The comma or bracket that ends a value; what lies before is left to the parser. */
function endOfValue(bytes: Uint8Array, at: number): number {
  for (let depth = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === QUOTE) at = endOfString(bytes, at) - 1;
    else if (byte === OPEN || byte === OPEN_LIST) depth++;
    else if (depth === 0 && (byte === COMMA || byte === CLOSE)) return at;
    else if (byte === CLOSE || byte === CLOSE_LIST) depth--;
  }
  throw failure(bytes, at, 'the file is cut short');
}

function endOfString(bytes: Uint8Array, at: number): number {
  for (let i = at + 1; i < bytes.length; i++) {
    if (bytes[i] === BACKSLASH) i++;
    else if (bytes[i] === QUOTE) return i + 1;
  }
  throw failure(bytes, bytes.length, 'the file is cut short');
}

function skipSpaces(bytes: Uint8Array, at: number): number {
  while (bytes[at] === 32 || bytes[at] === 10 || bytes[at] === 13 || bytes[at] === 9) at++;
  return at;
}

function parseAt<T>(bytes: Uint8Array, at: number, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof SyntaxError) throw failure(bytes, at, error.message);
    throw error;
  }
}

function failure(bytes: Uint8Array, at: number, message: string): SyntaxError {
  let line = 1;
  for (let next = bytes.indexOf(10); next >= 0 && next < at; next = bytes.indexOf(10, next + 1)) line++;
  return new SyntaxError(`${message} in line ${line}`);
}
