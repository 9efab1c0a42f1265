/**
 * Files that are never half-written, and reading that says the file, the line and the mend.
 *
 * Everything is written to a temporary name beside the target and renamed, so that a reader (or a killed process)
 * sees the old file or the new one, nothing between.
 */
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { gzipSync } from 'node:zlib';
import { InputError } from '../support/errors.js';
import { checkFile, checkTarget, isGzip } from './check-file.js';
import { decodeText, type Encoding } from './encoding.js';
import { readBlocks } from './text-blocks.js';
import { readBytes } from './whole-file.js';

export { checkFile, checkTarget, isGzip };

let temporaries = 0;

/** A file's content: at once, or in pieces where it may be longer than a string can be (512 MB). */
export type Content = string | Uint8Array | Iterable<string>;

/** Writes `data` to `path`, making its folder; a name that ends in `.gz` is compressed (without a time stamp). */
export function writeAtomic(path: string, data: Content): void {
  writeAllAtomic([[path, data]]);
}

/** Several files as one: all are written under temporary names before the first is renamed. */
export function writeAllAtomic(files: readonly (readonly [path: string, data: Content])[]): void {
  writeAllWith(files.map(([path, data]) => [path, (temporary) => writeContent(temporary, data, path.endsWith('.gz'))]));
}

/** Characters that are collected before they are written. */
const PIECE = 1 << 20;

/**
 * Writes a file in place, without the care of `writeAtomic`.
 * @param packed as gzip; pieces become members of one file. Default false
 */
export function writeContent(path: string, data: Content, packed = false): void {
  const bytes = (part: string | Uint8Array) => (packed ? gzipSync(part) : part);
  if (typeof data === 'string' || data instanceof Uint8Array) return writeFileSync(path, bytes(data));
  const file = openSync(path, 'w');
  const write = (text: string): void => {
    const block = packed ? gzipSync(text) : Buffer.from(text);
    for (let from = 0; from < block.length;) from += writeSync(file, block, from, block.length - from);
  };
  try {
    let waiting = '';
    for (const piece of data) {
      waiting += piece;
      if (waiting.length < PIECE) continue;
      write(waiting);
      waiting = '';
    }
    if (waiting !== '' || packed) write(waiting);
  } finally {
    closeSync(file);
  }
}

/** Lets `write` fill a temporary file, then renames it to `path`; a failure removes the temporary and changes nothing. */
export function writeWith(path: string, write: (temporary: string) => void): void {
  writeAllWith([[path, write]]);
}

type Write = readonly [path: string, write: (temporary: string) => void];

function writeAllWith(files: readonly Write[]): void {
  const named = files.map(([path, write]) => ({
    path,
    write,
    temporary: `${path}.${process.pid}-${temporaries++}.tmp`,
  }));
  let at = '';
  try {
    for (const { path, write, temporary } of named) {
      at = path;
      mkdirSync(dirname(path), { recursive: true });
      write(temporary);
    }
    for (const { path, temporary } of named) renameSync(temporary, (at = path));
  } catch (error) {
    for (const { temporary } of named) if (existsSync(temporary)) rmSync(temporary);
    throw refused(at, error);
  }
}

/** Adds to the end of a file. @throws InputError if the file system refuses (a full disk) */
export function appendOrFail(path: string, data: string | Uint8Array): void {
  try {
    appendFileSync(path, data);
  } catch (error) {
    throw refused(path, error);
  }
}

/** What the file system refuses is reported in a line; anything else is a defect of ours. */
function refused(path: string, error: unknown): unknown {
  if (!(error instanceof Error && 'syscall' in error)) return error;
  return new InputError(
    `${path}: cannot be written (${error.message}); check the folder, its rights and the room on disk`,
  );
}

/** `value` as JSON with a newline at the end. `indent` as in `JSON.stringify`, default 2. */
export function writeJson(path: string, value: unknown, indent = 2): void {
  writeAtomic(path, JSON.stringify(value, null, indent) + '\n');
}

/** @throws InputError if the file is missing (`mend` says how to get it) or is no JSON */
export function readJson<T = unknown>(path: string, mend = 'check the path'): T {
  const text = readText(path, mend);
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new InputError(`${path}: not valid JSON (${(error as Error).message}); write it anew`);
  }
}

/**
 * A text file as a whole, gzip or not, UTF-8 or UTF-16; a byte order mark is removed.
 * @param encoding default detected
 * @throws InputError if the file is missing, damaged or not of its encoding (with the line)
 */
export function readText(path: string, mend = 'check the path', encoding?: Encoding): string {
  return decodeText(readBytes(path, mend), path, encoding);
}

/** A line of a file. */
export interface Line {
  /** Without its end. */
  text: string;
  /** Counted from 1. */
  number: number;
}

/**
 * The lines of a text file, gzip detected by its first two bytes, UTF-16 by its mark or its zeros; empty lines are
 * passed over. Lines end in \n or \r\n alone (readline's own would also split a JSON text at U+2028).
 * @param encoding default UTF-8 or UTF-16, detected
 * @throws InputError for a missing file, for gzip that is damaged or cut short (with the line that it reaches), and for
 *   bytes that are not of the encoding
 */
export async function* readLines(path: string, encoding?: Encoding): AsyncGenerator<Line> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let number = 0;
  for await (const block of readBlocks(path, () => number, encoding)) {
    const lines = decoder.decode(block).split('\n');
    lines.pop(); // a block ends in \n
    for (const line of lines) {
      number++;
      const text = line.endsWith('\r') ? line.slice(0, -1) : line;
      if (text !== '') yield { text, number };
    }
  }
}

/** SHA-256 of a file's bytes or of a string, in hex. */
export function hashFile(path: string): string {
  const hash = createHash('sha256');
  const file = openSync(path, 'r');
  try {
    const chunk = new Uint8Array(CHUNK);
    for (let got = readSync(file, chunk); got > 0; got = readSync(file, chunk)) hash.update(chunk.subarray(0, got));
  } finally {
    closeSync(file);
  }
  return hash.digest('hex');
}

/** Bytes of a file that are hashed at once: a model's weights are larger than what a single read gives. */
const CHUNK = 1 << 22;

/** SHA-256 of a text, in hexadecimal. */
export function hashText(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
