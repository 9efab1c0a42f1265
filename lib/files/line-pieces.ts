/** Lines of a text file one by one, without a wait between them and without the file in memory. */
import { closeSync, openSync, readSync } from 'node:fs';
import { checkFile, isGzip } from './check-file.js';
import { checkUtf8 } from './encoding.js';
import { linesIn, wholeLines } from './whole-file.js';

/** Bytes that are read at once. */
const PIECE = 1 << 20;

/**
 * Lines without their `\n`, as `wholeLines` gives them; a file of gzip, or with a byte order mark, is read as a whole.
 * @param piece bytes that are read at once
 * @throws InputError as `wholeLines`
 */
export function* linesInPieces(path: string, mend = 'check the path', piece = PIECE): Generator<string> {
  checkFile(path, mend);
  if (!isPlainText(path)) return yield* wholeLines(path, mend);
  const file = openSync(path, 'r');
  let seen = 0;
  const counted = function* (bytes: Uint8Array): Generator<string> {
    checkUtf8(bytes, path, () => seen);
    for (const line of linesIn(bytes)) {
      seen++;
      yield line;
    }
  };
  try {
    let rest = Buffer.alloc(0);
    const block = Buffer.alloc(piece);
    for (let got = readSync(file, block); got > 0; got = readSync(file, block)) {
      const bytes = Buffer.concat([rest, block.subarray(0, got)]);
      const end = bytes.lastIndexOf(10);
      if (end >= 0) yield* counted(bytes.subarray(0, end));
      rest = Buffer.from(bytes.subarray(end + 1));
    }
    yield* counted(rest);
  } finally {
    closeSync(file);
  }
}

/** Whether a file's bytes are its text's, in UTF-8: not compressed, and without a byte order mark. */
export function isPlainText(path: string): boolean {
  return !isGzip(path) && !hasMark(path);
}

/** Of UTF-8 or UTF-16; UTF-16 without one has a zero in its first two bytes. */
function hasMark(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const head = new Uint8Array(2).fill(32);
    readSync(file, head);
    return head[0]! >= 0xef || head.includes(0);
  } finally {
    closeSync(file);
  }
}
