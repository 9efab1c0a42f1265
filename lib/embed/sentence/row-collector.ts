/** Rows of a matrix that arrive in any order, each with its number: none is written twice, none is missing at the end. */
import type { Vectors } from '../../files/npy.js';

/** Rows of a batch. */
export interface DoneRows {
  /** Their numbers. */
  rows: number[];
  /** [rows * width], in the order of `rows` */
  data: Float32Array;
}

/** The rows so far. */
export class RowCollector {
  private readonly there: Uint8Array;
  private width = 0;
  private data = new Float32Array(0);
  /** Rows so far. */
  count = 0;

  constructor(private readonly rows: number) {
    this.there = new Uint8Array(rows);
  }

  /** Whether a row is there. */
  has(row: number): boolean {
    return this.there[row] === 1;
  }

  /** @throws Error for a row that is there already or of another width: a defect of the caller's */
  put({ rows, data }: DoneRows, width: number): void {
    if (this.width === 0) [this.width, this.data] = [width, new Float32Array(this.rows * width)];
    if (width !== this.width || data.length !== rows.length * width) {
      throw new Error(`RowCollector: expected ${rows.length} rows of ${this.width}, got ${data.length} numbers`);
    }
    rows.forEach((row, i) => {
      if (this.there[row] !== 0)
        throw new Error(`RowCollector: row ${row} of ${this.rows} is there already, or outside`);
      this.there[row] = 1;
      this.data.set(data.subarray(i * width, (i + 1) * width), row * width);
    });
    this.count += rows.length;
  }

  /** Matrix whose row i is row `from[i]`; every one of them has arrived. */
  finish(from: readonly number[]): Vectors {
    const { width, data } = this;
    from.forEach((row, i) => {
      if (!this.has(row)) throw new Error(`RowCollector: row ${row} never came`);
      if (row !== i) data.copyWithin(i * width, row * width, (row + 1) * width);
    });
    return { rows: from.length, width, data };
  }
}
