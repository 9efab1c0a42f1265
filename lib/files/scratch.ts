/**
 * Temporary files of one piece of work. Each loses its name as soon as it is open, so that its room is given back when
 * it is closed or the process ends, however it ends: nothing is left behind by a kill.
 */
import { closeSync, mkdirSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../support/errors.js';

/** The temporary files of one piece of work, in a folder. */
export class Scratch {
  private readonly files = new Set<ScratchFile>();
  private opened = 0;

  /** @param folder on a disk with room for what is written; made if it is missing */
  constructor(private readonly folder: string) {}

  /** A new file. */
  open(): ScratchFile {
    const path = join(this.folder, `.sidlab-${process.pid}-${this.opened++}.tmp`);
    try {
      mkdirSync(this.folder, { recursive: true });
      const file: ScratchFile = new ScratchFile(openSync(path, 'wx+'), this.folder, () => this.files.delete(file));
      unlinkSync(path);
      this.files.add(file);
      return file;
    } catch (error) {
      throw refused(this.folder, error);
    }
  }

  /** Gives all files back. */
  close(): void {
    for (const file of [...this.files]) file.close();
  }
}

/** Bytes that are written at the end, and read from anywhere. */
export class ScratchFile {
  /** Bytes. */
  size = 0;
  private open = true;

  constructor(
    private readonly file: number,
    private readonly folder: string,
    private readonly closed: () => unknown,
  ) {}

  /** @throws InputError where the disk is full */
  append(bytes: Uint8Array): void {
    try {
      for (let from = 0; from < bytes.length;) from += writeSync(this.file, bytes, from, bytes.length - from);
      this.size += bytes.length;
    } catch (error) {
      throw refused(this.folder, error);
    }
  }

  /** Fills `into` from a place in the file. @returns bytes read: fewer at its end alone */
  read(at: number, into: Uint8Array): number {
    let got = 0;
    for (let more = 1; more > 0 && got < into.length; got += more) {
      more = readSync(this.file, into, got, into.length - got, at + got);
    }
    return got;
  }

  /** Gives the file's room back. */
  close(): void {
    if (this.open) closeSync(this.file);
    this.open = false;
    this.closed();
  }
}

function refused(folder: string, error: unknown): unknown {
  if (!(error instanceof Error && 'syscall' in error)) return error;
  return new InputError(
    `${folder}: expected room for temporary files, got ${error.message}; make room, or write to another disk`,
  );
}
