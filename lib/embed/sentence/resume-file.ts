/**
 * Rows that are done, kept beside the output while a long encoding runs, so that a killed run resumes. It is read record
 * by record: a million rows take more bytes than one read gives.
 *
 * The file is a line of JSON (the key: a hash of options and texts; the width), then one record a batch:
 * `count, crc32` (uint32), `count` row numbers (uint32), `count * width` float32. A record that is truncated or
 * damaged ends the reading; what comes after it is computed again. Every row carries its number: no row can shift.
 */
import { appendFileSync, existsSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { type ByteSource, partOf, withFileSource } from '../../files/npy-source.js';
import { InputError } from '../../support/errors.js';
import type { DoneRows, RowCollector } from './row-collector.js';

/** A file of the rows that are done, which a stopped run resumes from. */
export class ResumeFile {
  constructor(
    readonly path: string,
    private readonly key: string,
  ) {}

  /**
   * Gives `target` every batch that is on disk under this key, and removes what is damaged.
   * @param wanted whether a row is one of ours
   */
  restore(wanted: (row: number) => boolean, target: RowCollector): void {
    if (!existsSync(this.path)) return;
    const [whole, size] = withFileSource(this.path, 'check the path', (source) => {
      const head = this.readHead(source);
      let at = head?.end ?? 0;
      while (head !== undefined) {
        const next = readRecord(source, at, head.width);
        if (next === undefined || !next.done.rows.every((row) => wanted(row) && !target.has(row))) break;
        target.put(next.done, head.width);
        at = next.end;
      }
      return [at, source.size];
    });
    if (whole === 0) rmSync(this.path, { force: true });
    else if (whole < size) truncateSync(this.path, whole);
  }

  /** @throws InputError where the file system refuses */
  add(rows: readonly number[], data: Float32Array): void {
    const payload = Buffer.concat([Buffer.from(Uint32Array.from(rows).buffer), bytesOf(data)]);
    const head = Buffer.from(Uint32Array.of(rows.length, crc32(payload)).buffer);
    try {
      if (!existsSync(this.path))
        writeFileSync(this.path, JSON.stringify({ key: this.key, width: data.length / rows.length }) + '\n');
      appendFileSync(this.path, Buffer.concat([head, payload]));
    } catch (error) {
      throw new InputError(
        `${this.path}: cannot be written (${(error as Error).message}); check the folder and its room`,
      );
    }
  }

  /** Deletes the file. */
  remove(): void {
    rmSync(this.path, { force: true });
  }

  private readHead(source: ByteSource): { width: number; end: number } | undefined {
    const bytes = readBytes(source, 0, Math.min(1024, source.size));
    const end = bytes.indexOf(10) + 1;
    if (end === 0) return undefined;
    try {
      const { key, width } = JSON.parse(bytes.toString('utf8', 0, end)) as { key: unknown; width: unknown };
      if (key !== this.key || typeof width !== 'number' || !Number.isInteger(width) || width < 1) return undefined;
      return { width, end };
    } catch {
      return undefined;
    }
  }
}

function readRecord(source: ByteSource, at: number, width: number): { done: DoneRows; end: number } | undefined {
  if (at + 8 > source.size) return undefined;
  const head = readBytes(source, at, 8);
  const count = head.readUInt32LE(0);
  const end = at + 8 + count * 4 * (1 + width);
  if (count === 0 || end > source.size) return undefined;
  const payload = readBytes(source, at + 8, end - at - 8);
  if (crc32(payload) !== head.readUInt32LE(4)) return undefined;
  const rows = [...new Uint32Array(payload.buffer, 0, count)];
  return { done: { rows, data: new Float32Array(payload.buffer, count * 4) }, end };
}

/** Bytes in a buffer of their own, so that they are aligned. */
function readBytes(source: ByteSource, at: number, size: number): Buffer {
  const bytes = Buffer.from(new ArrayBuffer(size));
  partOf(source, at, size).read(bytes, 0);
  return bytes;
}

function bytesOf(data: Float32Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
