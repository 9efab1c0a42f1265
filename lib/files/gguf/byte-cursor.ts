/** A file that is read from its beginning on, a piece at a time, little-endian. */
import { readSync } from 'node:fs';

/** Bytes that are read at once, or more where a single thing is longer. */
const PIECE = 1 << 20;

/** Reads numbers and texts one after the other. */
export class ByteCursor {
  /** Bytes from the file's beginning to what is read next. */
  position = 0;
  private piece = Buffer.alloc(0);
  private start = 0;

  /** @param descriptor of the open file @param size of the file @param atEnd makes the error of a file that is too short */
  constructor(
    private readonly descriptor: number,
    readonly size: number,
    private readonly atEnd: () => Error,
  ) {}

  /** The next bytes, a view that holds until the next call. */
  take(count: number): Buffer {
    if (!(count <= this.size - this.position)) throw this.atEnd(); // NaN too
    if (this.position + count > this.start + this.piece.length) this.refill(count);
    const from = this.position - this.start;
    this.position += count;
    return this.piece.subarray(from, from + count);
  }

  /** A count or an offset of 64 bits. @throws the error of the file for one that no file can have */
  uint64(): number {
    const value = Number(this.take(8).readBigUInt64LE());
    if (!Number.isSafeInteger(value)) throw this.atEnd();
    return value;
  }

  /** A text in UTF-8, its length before it. */
  text(): string {
    return this.take(this.uint64()).toString('utf8');
  }

  private refill(count: number): void {
    const piece = Buffer.alloc(Math.min(Math.max(PIECE, count), this.size - this.position));
    for (let at = 0; at < piece.length;) {
      const got = readSync(this.descriptor, piece, at, piece.length - at, this.position + at);
      if (got === 0) throw this.atEnd();
      at += got;
    }
    [this.piece, this.start] = [piece, this.position];
  }
}
