/**
 * Files that are read as a whole, of any size that fits memory: `readFileSync` takes none beyond 2 GiB, and a string has
 * 512 MB at most.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { InputError } from '../support/errors.js';
import { checkFile, isGzip } from './check-file.js';
import { bytesAsUtf8, type Encoding } from './encoding.js';

/** Bytes of one read at most. */
const AT_ONCE = 1 << 30;
/** Bytes of text that become a string at once, or a line more. */
const PIECE = 1 << 20;

/**
 * A file's bytes, inflated where they are gzip.
 * @param atOnce bytes of one read at most; default what Node takes
 * @throws InputError if the file is missing, damaged or too large for memory
 */
export function readBytes(path: string, mend = 'check the path', atOnce = AT_ONCE): Uint8Array {
  checkFile(path, mend);
  try {
    const bytes = bytesOf(path, atOnce);
    return isGzip(path) ? gunzipSync(bytes) : bytes;
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${path}: cannot be read (${(error as Error).message}); fetch it again`);
  }
}

function bytesOf(path: string, atOnce: number): Buffer {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.allocUnsafeSlow(fstatSync(file).size);
    for (let at = 0; at < bytes.length;) {
      const got = readSync(file, bytes, at, Math.min(atOnce, bytes.length - at), at);
      if (got === 0) throw new Error('it became shorter while it was read');
      at += got;
    }
    return bytes;
  } finally {
    closeSync(file);
  }
}

/**
 * A text file as a whole, as UTF-8 without a mark, for texts that may be longer than a string can be.
 * @param encoding default detected
 * @throws InputError if the file is missing, damaged or not of its encoding (with the line)
 */
export function readUtf8(path: string, mend = 'check the path', encoding?: Encoding): Uint8Array {
  return bytesAsUtf8(readBytes(path, mend), path, encoding);
}

/** The lines of a text file that is read as a whole, as `linesIn` gives them. @throws InputError as `readUtf8` */
export function wholeLines(path: string, mend = 'check the path', encoding?: Encoding): Generator<string> {
  return linesIn(readUtf8(path, mend, encoding));
}

/**
 * Lines without their `\n`, as `text.split('\n')` has them: behind a last `\n` is an empty one.
 * @param piece bytes that become a string at once, or a line more
 */
export function* linesIn(utf8: Uint8Array, piece = PIECE): Generator<string> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  for (let at = 0; at <= utf8.length;) {
    const newline = utf8.length - at <= piece ? -1 : utf8.indexOf(10, at + piece - 1);
    const end = newline < 0 ? utf8.length : newline;
    yield* decoder.decode(utf8.subarray(at, end)).split('\n');
    at = end + 1;
  }
}
