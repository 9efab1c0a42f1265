/** Whether a file that is mapped into memory is still what it was: what is cut or written over would be read as numbers. */
import { fstatSync, statSync } from 'node:fs';
import { InputError } from '../support/errors.js';

/** What a file was. */
export interface FileStamp {
  path: string;
  device: number;
  inode: number;
  bytes: number;
  /** Milliseconds since 1970. */
  modified: number;
}

/** @param descriptor of the open file */
export function stampFile(path: string, descriptor: number): FileStamp {
  const { dev, ino, size, mtimeMs } = fstatSync(descriptor);
  return { path, device: dev, inode: ino, bytes: size, modified: mtimeMs };
}

/**
 * A file that was removed, or replaced by a new one of its name, is still there for whoever has it open or mapped.
 * @throws InputError if it was cut or written over
 */
export function checkStamp({ path, device, inode, bytes, modified }: FileStamp): void {
  const now = statSync(path, { throwIfNoEntry: false });
  if (!now || now.ino !== inode || now.dev !== device) return;
  if (now.size < bytes) {
    throw new InputError(`${path}: became shorter while it was in use (${now.size} of ${bytes} bytes); write it again`);
  }
  if (now.mtimeMs !== modified) throw new InputError(`${path}: was written over while it was in use; run this again`);
}
