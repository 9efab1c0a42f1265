/**
 * A file's bytes in blocks of whole lines, gzip told by its first two bytes. Inflating runs on Node's thread pool
 * while the reader works on the block before.
 */
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { checkFile, isGzip } from '../../files/files.js';
import { InputError } from '../../support/errors.js';

/** Of a block, in bytes. */
const SIZE = 1 << 20;
const NEWLINE = 10;

/**
 * Every block ends in `\n`, the last one too where the file does not.
 *
 * @param line how many lines the reader has seen, for the message of a damaged file
 * @throws InputError for a missing file, and for gzip that is damaged or cut short
 */
export async function* readBlocks(path: string, line: () => number): AsyncGenerator<Uint8Array> {
  checkFile(path);
  const source = createReadStream(path, { highWaterMark: SIZE });
  const packed = isGzip(path);
  const bytes: AsyncIterable<Buffer> = packed ? source.pipe(createGunzip({ chunkSize: SIZE })) : source;
  let rest: Uint8Array = new Uint8Array(0);
  try {
    for await (const chunk of bytes) {
      const end = chunk.lastIndexOf(NEWLINE) + 1;
      // The line that two chunks share comes by itself, so that no chunk is copied.
      const from = rest.length > 0 && end > 0 ? chunk.indexOf(NEWLINE) + 1 : 0;
      if (from > 0) yield Buffer.concat([rest, chunk.subarray(0, from)]);
      if (end > from) yield chunk.subarray(from, end);
      // A copy: the chunk's memory need not outlive it.
      rest = end > 0 ? Uint8Array.prototype.slice.call(chunk, end) : Buffer.concat([rest, chunk]);
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${path}:${line() + 1}: damaged or cut short (${(error as Error).message}); fetch it again`);
  } finally {
    source.destroy(); // also where the reader stops early
  }
  if (rest.length > 0) yield Buffer.concat([rest, Uint8Array.of(NEWLINE)]);
}

/**
 * The first bytes of a file, inflated where it is packed; for telling formats apart.
 * @returns '' for gzip that is damaged: its reader says where
 */
export async function readHead(path: string): Promise<string> {
  try {
    for await (const block of readBlocks(path, () => 0)) return new TextDecoder().decode(block.subarray(0, 1 << 16));
  } catch (error) {
    if (!(error as Error).message.includes('damaged')) throw error;
  }
  return '';
}
