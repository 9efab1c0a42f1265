/** Checks on a path before it is opened. */
import { accessSync, closeSync, constants, existsSync, openSync, readSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { InputError } from '../support/errors.js';

/** @throws InputError for a path that is no file; `mend` says how to get it */
export function checkFile(path: string, mend = 'check the path'): void {
  if (!existsSync(path)) throw new InputError(`${path}: no such file; ${mend}`);
  if (!statSync(path).isFile()) throw new InputError(`${path}: expected a file, got a folder; ${mend}`);
}

/**
 * Before work of which the file is all that is left: that it can be written.
 * @param name of the option, such as `--results`
 * @throws InputError for a folder, a path below a file, or a folder that may not be written into
 */
export function checkTarget(path: string, name: string): void {
  if (existsSync(path) && statSync(path).isDirectory()) {
    throw new InputError(`${name}: expected a file to write, got the folder ${path}; add a name`);
  }
  let folder = dirname(resolve(path));
  while (!existsSync(folder)) folder = dirname(folder);
  if (!statSync(folder).isDirectory()) {
    throw new InputError(`${name}: expected a file to write, got ${path} below the file ${folder}; take a folder`);
  }
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw new InputError(`${name}: expected a file to write, got ${path}; ${folder} may not be written into`);
  }
}

/** Compressions that are not read, by the first bytes of their files. */
const UNREAD: readonly (readonly [magic: readonly number[], name: string])[] = [
  [[0x28, 0xb5, 0x2f, 0xfd], 'zstd'],
  [[0xfd, 0x37, 0x7a, 0x58], 'xz'],
  [[0x42, 0x5a, 0x68], 'bzip2'],
  [[0x50, 0x4b, 0x03, 0x04], 'zip'],
];

/**
 * Whether a file is gzip, detected by its first two bytes.
 * @throws InputError for another compression (zstd, xz, bzip2, zip)
 */
export function isGzip(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const magic = new Uint8Array(4);
    readSync(file, magic);
    const other = UNREAD.find(([bytes]) => bytes.every((byte, i) => magic[i] === byte));
    if (other) throw new InputError(`${path}: expected plain text or gzip, got ${other[1]}; decompress it first`);
    return magic[0] === 0x1f && magic[1] === 0x8b;
  } finally {
    closeSync(file);
  }
}
