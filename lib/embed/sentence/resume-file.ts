/**
 * Rows that are done, kept beside the output while a long encoding runs, so that a killed run goes on.
 *
 * The file is a line of JSON (the key: a hash of options and texts; the width), then one record a batch:
 * `count, crc32` (uint32), `count` row numbers (uint32), `count * width` float32. A record that was cut short or
 * damaged ends the reading; what comes after it is computed anew. Every row carries its number: no row can shift.
 */
import { appendFileSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { InputError } from '../../support/errors.js';
import type { DoneRows, RowCollector } from './row-collector.js';

export class ResumeFile {
  constructor(
    readonly path: string,
    private readonly key: string,
  ) {}

  /**
   * Gives `target` every batch that is on disk under this key, and cuts off what is damaged.
   * @param wanted whether a row is one of ours
   */
  restore(wanted: (row: number) => boolean, target: RowCollector): void {
    const bytes = existsSync(this.path) ? readFileSync(this.path) : Buffer.alloc(0);
    const head = this.readHead(bytes);
    if (head === undefined) return rmSync(this.path, { force: true });
    let at = head.end;
    for (;;) {
      const next = readRecord(bytes, at, head.width);
      if (next === undefined || !next.done.rows.every((row) => wanted(row) && !target.has(row))) break;
      target.put(next.done, head.width);
      at = next.end;
    }
    if (at < bytes.length) truncateSync(this.path, at);
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

  remove(): void {
    rmSync(this.path, { force: true });
  }

  private readHead(bytes: Buffer): { width: number; end: number } | undefined {
    const end = bytes.subarray(0, 1024).indexOf(10) + 1;
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

function readRecord(bytes: Buffer, at: number, width: number): { done: DoneRows; end: number } | undefined {
  if (at + 8 > bytes.length) return undefined;
  const count = bytes.readUInt32LE(at);
  const end = at + 8 + count * 4 * (1 + width);
  if (count === 0 || end > bytes.length) return undefined;
  const payload = Uint8Array.from(bytes.subarray(at + 8, end)); // a copy, so that it is aligned
  if (crc32(payload) !== bytes.readUInt32LE(at + 4)) return undefined;
  const rows = [...new Uint32Array(payload.buffer, 0, count)];
  return { done: { rows, data: new Float32Array(payload.buffer, count * 4) }, end };
}

function bytesOf(data: Float32Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
