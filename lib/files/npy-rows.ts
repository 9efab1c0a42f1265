/**
 * Some rows of a .npy file at a time: of a matrix that is larger than memory.
 *
 * Shapes: N rows, D width.
 */
import { InputError } from '../support/errors.js';
import { npyHeaderOf, readNpyNumbers, type Vectors } from './npy-bytes.js';
import { withFileSource } from './npy-source.js';

/** A matrix [N, D] of which rows are read as they are asked for. */
export interface RowSource {
  /** N */
  readonly rows: number;
  /** D */
  readonly width: number;
  /** Rows `first` to `first + count`, a copy. */
  block(first: number, count: number): Vectors;
}

/** A matrix in memory as a source. */
export function memoryRows({ rows, width, data }: Vectors): RowSource {
  return {
    ...{ rows, width },
    block: (first, count) => ({ rows: count, width, data: data.slice(first * width, (first + count) * width) }),
  };
}

/**
 * Opens a file for `use`, and closes it.
 * @param mend what the message advises where there is no file
 * @throws InputError as `readNpy`, and for a matrix in Fortran's order, whose rows lie apart
 */
export function withNpyRows<T>(path: string, mend: string, use: (source: RowSource) => T): T {
  return withFileSource(path, mend, (bytes) => {
    const header = npyHeaderOf(path, bytes);
    const { rows, width, fortran } = header;
    if (fortran) {
      throw new InputError(
        `${path}: expected rows one after the other (C order), got Fortran's; save numpy.ascontiguousarray of it`,
      );
    }
    const block = (first: number, count: number): Vectors => {
      const data = new Float32Array(count * width);
      readNpyNumbers(bytes, header, first * width, data);
      return { rows: count, width, data };
    };
    return use({ rows, width, block });
  });
}
