/** Parts of a text file for several threads: each line is in the part that its first byte is in. */
import { closeSync, openSync, readSync } from 'node:fs';

/** Of a block, in bytes; longer where a line is. */
const SIZE = 1 << 20;
const NEWLINE = 10;

/** Bytes of a file, from the first line that begins there to the last. */
export interface FilePart {
  path: string;
  from: number;
  /** Behind the last byte. */
  to: number;
}

/**
 * The lines of a part in blocks that end in `\n`, the last one too where the file does not. A block's memory is used
 * again for the next one.
 */
export function* partBlocks({ path, from, to }: FilePart): Generator<Uint8Array> {
  const file = openSync(path, 'r');
  try {
    let buffer = Buffer.allocUnsafe(SIZE);
    let at = from === 0 ? 0 : firstLine(file, buffer, from);
    while (at < to) {
      let length = 0;
      let end = 0;
      for (;;) {
        const read = readSync(file, buffer, length, buffer.length - length, at + length);
        length += read;
        end = endOfLines(buffer.subarray(0, length), to - at);
        if (end > 0 || (read === 0 && length === 0)) break;
        if (read === 0) {
          buffer[length] = NEWLINE;
          end = length + 1;
          break;
        }
        if (length + 1 >= buffer.length) buffer = Buffer.concat([buffer], 2 * buffer.length);
      }
      if (end === 0) return;
      yield buffer.subarray(0, end);
      at += end;
    }
  } finally {
    closeSync(file);
  }
}

/** Behind the last line of a block that begins before `to`, if the block has its end; else behind its last whole line. */
function endOfLines(block: Buffer, to: number): number {
  const last = to <= block.length ? block.indexOf(NEWLINE, to - 1) : -1;
  return (last < 0 ? block.lastIndexOf(NEWLINE) : last) + 1;
}

/** Where the first line begins at or behind `from`. */
function firstLine(file: number, buffer: Buffer, from: number): number {
  for (let at = from - 1; ;) {
    const read = readSync(file, buffer, 0, buffer.length, at);
    const end = buffer.subarray(0, read).indexOf(NEWLINE);
    if (end >= 0) return at + end + 1;
    if (read === 0) return at;
    at += read;
  }
}
