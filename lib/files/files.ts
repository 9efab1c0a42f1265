/**
 * Files that are never half-written, and reading that says the file, the line and the mend.
 *
 * Everything is written to a temporary name beside the target and renamed, so that a reader (or a killed process)
 * sees the old file or the new one, nothing between.
 */
import {
  appendFileSync,
  closeSync,
  createReadStream,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { createGunzip, gzipSync } from 'node:zlib';
import { InputError } from '../support/errors.js';

let temporaries = 0;

/** Writes `data` to `path`, making its folder; a name that ends in `.gz` is compressed (without a time stamp). */
export function writeAtomic(path: string, data: string | Uint8Array): void {
  writeAllAtomic([[path, data]]);
}

/** Several files as one: all are written under temporary names before the first is renamed. */
export function writeAllAtomic(files: readonly (readonly [path: string, data: string | Uint8Array])[]): void {
  writeAllWith(
    files.map(([path, data]) => [
      path,
      (temporary) => writeFileSync(temporary, path.endsWith('.gz') ? gzipSync(data) : data),
    ]),
  );
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

/** What the file system refuses is told in a line; anything else is a defect of ours. */
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

/** @throws InputError if the file is missing or cannot be read */
export function readText(path: string, mend = 'check the path'): string {
  checkFile(path, mend);
  return readFileSync(path, 'utf8');
}

export interface Line {
  text: string;
  /** Counted from 1. */
  number: number;
}

/**
 * The lines of a text file, gzip told by its first two bytes; empty lines are passed over. Lines end in \n or \r\n
 * alone (readline's own would also part a JSON text at U+2028).
 * @throws InputError for a missing file, and for gzip that is damaged or cut short (with the line that it reaches)
 */
export async function* readLines(path: string): AsyncGenerator<Line> {
  checkFile(path);
  const source = createReadStream(path);
  const bytes: AsyncIterable<Uint8Array> = isGzip(path) ? source.pipe(createGunzip()) : source;
  const decoder = new TextDecoder();
  let number = 0;
  let rest = '';
  try {
    for await (const chunk of bytes) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop()!;
      for (const line of lines) {
        number++;
        const text = line.endsWith('\r') ? line.slice(0, -1) : line;
        if (text !== '') yield { text, number };
      }
    }
  } catch (error) {
    throw new InputError(`${path}:${number + 1}: damaged or cut short (${(error as Error).message}); fetch it again`);
  } finally {
    source.destroy(); // also where the reader stops early
  }
  rest += decoder.decode();
  if (rest !== '') yield { text: rest, number: number + 1 };
}

/** @throws InputError for a path that is no file; `mend` says how to get it */
export function checkFile(path: string, mend = 'check the path'): void {
  if (!existsSync(path)) throw new InputError(`${path}: no such file; ${mend}`);
  if (!statSync(path).isFile()) throw new InputError(`${path}: expected a file, got a folder; ${mend}`);
}

/** Told by the first two bytes. */
export function isGzip(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const magic = new Uint8Array(2);
    readSync(file, magic);
    return magic[0] === 0x1f && magic[1] === 0x8b;
  } finally {
    closeSync(file);
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

export function hashText(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
