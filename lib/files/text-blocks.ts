/**
 * A text file's bytes in blocks of whole lines of UTF-8, gzip detected by its first two bytes. Inflating runs on
 * Node's thread pool while the reader works on the block before. Time and memory are linear in a line's length.
 */
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { InputError } from '../support/errors.js';
import { checkFile, isGzip } from './check-file.js';
import { checkUtf8, type Encoding, toUtf8 } from './encoding.js';

/** Of a chunk, in bytes. */
const SIZE = 1 << 20;
const NEWLINE = 10;

/**
 * Every block ends in `\n`, the last one too where the file does not.
 *
 * @param line how many lines the reader has seen, for the message of a damaged file
 * @param encoding default UTF-8 or UTF-16, detected
 * @throws InputError for a missing file, for gzip that is damaged or cut short, and for bytes that are not of the
 *   encoding: file and line
 */
export async function* readBlocks(path: string, line: () => number, encoding?: Encoding): AsyncGenerator<Uint8Array> {
  checkFile(path);
  const { source, bytes } = open(path);
  /** Of the line that several chunks share. */
  let pieces: Uint8Array[] = [];
  const checked = (block: Uint8Array): Uint8Array => {
    checkUtf8(block, path, line);
    return block;
  };
  try {
    for await (const chunk of toUtf8(bytes, path, encoding)) {
      const end = chunk.lastIndexOf(NEWLINE) + 1;
      let from = 0;
      if (pieces.length > 0 && end > 0) {
        // The line that two chunks share comes by itself, so that no chunk is copied.
        from = chunk.indexOf(NEWLINE) + 1;
        const whole = Buffer.concat([...pieces, chunk.subarray(0, from)]);
        pieces = [];
        yield checked(whole);
      }
      if (end > from) yield checked(chunk.subarray(from, end));
      // A copy: the chunk's memory need not outlive it.
      if (end < chunk.length) pieces.push(Uint8Array.prototype.slice.call(chunk, end));
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${path}:${line() + 1}: damaged or cut short (${(error as Error).message}); fetch it again`);
  } finally {
    source.destroy(); // also where the reader stops early
  }
  if (pieces.length > 0) yield checked(Buffer.concat([...pieces, Uint8Array.of(NEWLINE)]));
}

/**
 * The first characters of a file, decompressed and decoded, for detecting its format.
 * @param encoding default detected; bytes that do not fit become U+FFFD: the file's reader says where
 * @returns '' for gzip that is damaged
 */
export async function readHead(path: string, encoding?: Encoding): Promise<string> {
  checkFile(path);
  const { source, bytes } = open(path);
  let head = new Uint8Array(0);
  try {
    for await (const chunk of toUtf8(bytes, path, encoding)) {
      head = Buffer.concat([head, chunk]);
      if (head.length >= HEAD) break;
    }
  } catch (error) {
    if (error instanceof InputError && head.length === 0) throw error;
  } finally {
    source.destroy();
  }
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(head.subarray(0, HEAD), { stream: true });
}

const HEAD = 1 << 16;

function open(path: string): { source: { destroy(): unknown }; bytes: AsyncIterable<Uint8Array> } {
  const packed = isGzip(path);
  const source = createReadStream(path, { highWaterMark: SIZE });
  return { source, bytes: packed ? source.pipe(createGunzip({ chunkSize: SIZE })) : source };
}
