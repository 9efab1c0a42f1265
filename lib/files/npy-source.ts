/**
 * Bytes that are read in pieces, wherever they lie: a file, a part of a file, an array. A single read of Node moves 2 GiB
 * at most and `readFileSync` takes no file beyond; vectors of a million items are larger.
 */
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { InputError } from '../support/errors.js';

/** Bytes at known places. */
export interface ByteSource {
  /** Bytes that there are. */
  readonly size: number;
  /** Fills `into` with the bytes from `position` on. @throws RangeError where they reach beyond the end */
  read(into: Uint8Array, position: number): void;
}

/** Bytes of one read or write at most. */
const AT_ONCE = 1 << 30;

/** An array as a source. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read: (into, position) => {
      checkSpan(bytes.length, into.length, position);
      into.set(bytes.subarray(position, position + into.length));
    },
  };
}

/** `size` bytes of a source from `from` on. @throws RangeError where they reach beyond its end */
export function partOf(source: ByteSource, from: number, size: number): ByteSource {
  checkSpan(source.size, size, from);
  return {
    size,
    read: (into, position) => {
      checkSpan(size, into.length, position);
      source.read(into, from + position);
    },
  };
}

/**
 * Opens a file for `use`, and closes it.
 * @param mend what the message advises where there is no file
 * @throws InputError for a file that cannot be opened, or became shorter while it was read
 */
export function withFileSource<T>(path: string, mend: string, use: (source: ByteSource) => T): T {
  const file = open(path, mend);
  try {
    const stat = fstatSync(file);
    if (stat.isDirectory()) throw new InputError(`${path}: expected a file, got a folder; ${mend}`);
    const { size } = stat;
    const read = (into: Uint8Array, position: number): void => {
      checkSpan(size, into.length, position);
      for (let at = 0; at < into.length;) {
        const got = readSync(file, into, at, Math.min(AT_ONCE, into.length - at), position + at);
        if (got === 0) throw new InputError(`${path}: became shorter while it was read; write it again`);
        at += got;
      }
    };
    return use({ size, read });
  } finally {
    closeSync(file);
  }
}

/** Writes arrays one after the other to a new file, each in as many writes as it takes. */
export function writePieces(path: string, pieces: Iterable<Uint8Array>): void {
  const file = openSync(path, 'w');
  try {
    for (const piece of pieces) {
      for (let at = 0; at < piece.length;) {
        at += writeSync(file, piece, at, Math.min(AT_ONCE, piece.length - at));
      }
    }
  } finally {
    closeSync(file);
  }
}

function open(path: string, mend: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new InputError(`${path}: ${code === 'ENOENT' ? 'no such file' : `cannot be read (${code})`}; ${mend}`);
  }
}

function checkSpan(size: number, length: number, position: number): void {
  if (position >= 0 && position + length <= size) return;
  throw new RangeError(`expected bytes ${position} to ${position + length} of ${size}`);
}
