/**
 * Encodings of text files. Everything is handed on as UTF-8; byte order marks are removed.
 *
 * UTF-8 and UTF-16 (either byte order) are detected: by the byte order mark or, without one, by the zero bytes that
 * UTF-16 has in its first two characters (RFC 4627, section 3). Any other encoding has to be named, by a label of the
 * WHATWG Encoding Standard (`latin1`, `gbk`, `shift_jis`). Bytes that do not fit are an error with file and line: a
 * replacement character would make two names one.
 */
import { isUtf8 } from 'node:buffer';
import { InputError } from '../support/errors.js';

/** A label of the WHATWG Encoding Standard, such as `utf-8`, `latin1` or `gbk`. */
export type Encoding = string;

interface Detected {
  encoding: Encoding;
  /** Bytes of the byte order mark. */
  mark: number;
}

const NEWLINE = 10;

/** @param head the first four bytes of a file, or fewer @returns UTF-8 unless it is UTF-16 */
function detectEncoding(head: Uint8Array): Detected {
  const [a = -1, b = -1, c = -1, d = -1] = head;
  if (a === 0xef && b === 0xbb && c === 0xbf) return { encoding: 'utf-8', mark: 3 };
  if ((a === 0xff && b === 0xfe && c === 0 && d === 0) || (a === 0 && b === 0 && c === 0xfe && d === 0xff)) {
    return { encoding: 'utf-32', mark: 4 };
  }
  if (a === 0xff && b === 0xfe) return { encoding: 'utf-16le', mark: 2 };
  if (a === 0xfe && b === 0xff) return { encoding: 'utf-16be', mark: 2 };
  if (a > 0 && b === 0 && c > 0 && d === 0) return { encoding: 'utf-16le', mark: 0 };
  if (a === 0 && b > 0 && c === 0 && d > 0) return { encoding: 'utf-16be', mark: 0 };
  return { encoding: 'utf-8', mark: 0 };
}

/** @throws InputError for a label that is no encoding */
function decoderOf(encoding: Encoding, path: string): TextDecoder {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  } catch {
    throw new InputError(
      `${path}: expected an encoding such as utf-8, utf-16le, latin1 or gbk, got ${encoding}; convert it to UTF-8`,
    );
  }
}

/** The encoding that is named or detected; a mark counts only where it is that encoding's. */
function settle(head: Uint8Array, named?: Encoding): Detected {
  const detected = detectEncoding(head);
  if (named === undefined) return detected;
  const same = detected.encoding === named.toLowerCase().replace(/^utf-?(8|16[bl]e)$/, 'utf-$1');
  return { encoding: same ? detected.encoding : named, mark: same ? detected.mark : 0 };
}

/**
 * Chunks of a file as chunks of UTF-8. UTF-8 itself passes through unchecked (see `checkUtf8`).
 * @param named the encoding; default detected
 * @throws InputError for an unknown encoding, and for bytes that are none of it: file and line
 */
export async function* toUtf8(
  chunks: AsyncIterable<Uint8Array>,
  path: string,
  named?: Encoding,
): AsyncGenerator<Uint8Array> {
  let head: Uint8Array | undefined = new Uint8Array(0);
  let decoder: TextDecoder | undefined;
  let lines = 0;
  const convert = (bytes: Uint8Array, last: boolean): Uint8Array => {
    if (!decoder) return bytes;
    const text = decodeOrFail(decoder, bytes, { stream: !last }, path, () => lines);
    const converted = Buffer.from(text);
    for (let at = converted.indexOf(NEWLINE); at >= 0; at = converted.indexOf(NEWLINE, at + 1)) lines++;
    return converted;
  };
  const open = (bytes: Uint8Array): Uint8Array => {
    const { encoding, mark } = settle(bytes, named);
    head = undefined;
    decoder = isUtf8Label(encoding) ? undefined : decoderOf(encoding, path);
    return bytes.subarray(mark);
  };
  for await (const chunk of chunks) {
    if (head === undefined) yield convert(chunk, false);
    else {
      head = head.length > 0 ? Buffer.concat([head, chunk]) : chunk;
      if (head.length >= 4) yield convert(open(head), false);
    }
  }
  const rest = convert(head ? open(head) : new Uint8Array(0), true);
  if (rest.length > 0) yield rest;
}

/** Bytes that become a string at once. */
const PIECE = 1 << 24;

/**
 * A file's bytes as UTF-8 without a mark. The whole never is a string, which may not be longer than 512 MB.
 * @param named the encoding; default detected
 * @param piece bytes that become a string at once
 * @throws InputError as `toUtf8`
 */
export function bytesAsUtf8(bytes: Uint8Array, path: string, named?: Encoding, piece = PIECE): Uint8Array {
  const { encoding, mark } = settle(bytes.subarray(0, 4), named);
  const body = bytes.subarray(mark);
  if (!isUtf8Label(encoding)) return recoded(body, decoderOf(encoding, path), path, piece);
  checkUtf8(body, path, () => 0);
  return body;
}

function recoded(bytes: Uint8Array, decoder: TextDecoder, path: string, piece: number): Uint8Array {
  try {
    return Buffer.concat([...textPieces(bytes, decoder, piece)].map((text) => Buffer.from(text)));
  } catch {
    throw firstInvalid(bytes, decoder.encoding, path, piece);
  }
}

function* textPieces(bytes: Uint8Array, decoder: TextDecoder, piece: number): Generator<string> {
  for (let at = 0; at <= bytes.length; at += piece) {
    yield decoder.decode(bytes.subarray(at, at + piece), { stream: at + piece <= bytes.length });
  }
}

/** A second pass, in which what cannot be read is U+FFFD. */
function firstInvalid(bytes: Uint8Array, encoding: Encoding, path: string, piece: number): InputError {
  let [line, start] = [1, '']; // number and beginning of the line that a piece begins in
  for (const text of textPieces(bytes, new TextDecoder(encoding, { ignoreBOM: true }), piece)) {
    const lines = (start + text).split('\n');
    const at = lines.findIndex((content) => content.includes('\ufffd'));
    if (at >= 0) return invalid(`${path}:${line + at}`, encoding.toUpperCase(), lines[at]!);
    line += lines.length - 1;
    start = lines.at(-1)!.slice(-20);
  }
  return invalid(`${path}:${line}`, encoding.toUpperCase(), start);
}

/**
 * A file's bytes as text.
 * @param named the encoding; default detected
 * @throws InputError as `toUtf8`
 */
export function decodeText(bytes: Uint8Array, path: string, named?: Encoding): string {
  const { encoding, mark } = settle(bytes.subarray(0, 4), named);
  const body = bytes.subarray(mark);
  if (isUtf8Label(encoding)) checkUtf8(body, path, () => 0);
  return decodeOrFail(decoderOf(encoding, path), body, {}, path, () => 0);
}

/**
 * @param lines how many lines came before `block`
 * @throws InputError for a byte that is no UTF-8: file and line
 */
export function checkUtf8(block: Uint8Array, path: string, lines: () => number): void {
  if (isUtf8(block)) return;
  for (let [at, line] = [0, lines() + 1]; at < block.length; line++) {
    const end = block.indexOf(NEWLINE, at);
    const text = block.subarray(at, end < 0 ? block.length : end);
    if (!isUtf8(text)) throw invalid(`${path}:${line}`, 'UTF-8', new TextDecoder().decode(text));
    at += text.length + 1;
  }
}

function isUtf8Label(encoding: Encoding): boolean {
  return /^utf-?8$/i.test(encoding);
}

function decodeOrFail(
  decoder: TextDecoder,
  bytes: Uint8Array,
  options: { stream?: boolean },
  path: string,
  lines: () => number,
): string {
  try {
    return decoder.decode(bytes, options);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_STRING_TOO_LONG') {
      throw new InputError(`${path}: expected at most 512 MB of text, got ${bytes.length} bytes; split the file`);
    }
    const text = new TextDecoder(decoder.encoding).decode(bytes);
    const before = text.slice(0, text.indexOf('\ufffd'));
    const line = text.slice(before.lastIndexOf('\n') + 1).split('\n', 1)[0]!;
    throw invalid(`${path}:${lines() + before.split('\n').length}`, decoder.encoding.toUpperCase(), line);
  }
}

/** @param line with U+FFFD in place of what cannot be read */
function invalid(where: string, expected: string, line: string): InputError {
  const at = line.indexOf('\ufffd');
  const near = JSON.stringify(line.slice(Math.max(0, at - 20), at + 20));
  return new InputError(
    `${where}: expected ${expected}, got other bytes near ${near}; convert the file to UTF-8 or name its encoding, such as latin1`,
  );
}
