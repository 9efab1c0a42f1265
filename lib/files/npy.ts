/**
 * NumPy's .npy files, so that vectors made here open in Python and the other way round.
 *
 * Follows the format's own description (numpy.lib.format, versions 1.0 to 3.0). Departures:
 *   1. two dimensions only, rows by columns;
 *   2. read: float16, float32 and float64 of either byte order, C and Fortran order, all turned into float32 in C
 *      order; written: little-endian, version 1.0, float32 in C order unless asked otherwise;
 *   3. a file longer than its header says is an error, like a shorter one;
 *   4. an .npz with one matrix is read as if it were that matrix.
 *
 * Shapes: N rows (items), D width.
 */
import { writeWith } from './files.js';
import { npyPieces, type NpyOptions, readNpyBytes, type Vectors } from './npy-bytes.js';
import { withFileSource, writePieces } from './npy-source.js';
import { onlyMatrix } from './npz.js';
import { isZip } from './zip.js';

export type { NpyOptions, Vectors } from './npy-bytes.js';

/** Row `i` of [N, D], a view without a copy [D]. */
export function rowOf(vectors: Vectors, i: number): Float32Array {
  return vectors.data.subarray(i * vectors.width, (i + 1) * vectors.width);
}

/** Rows `from` to `to` (not included) of [N, D], a view without a copy. */
export function rowSlice({ width, data }: Vectors, from: number, to: number): Vectors {
  return { rows: to - from, width, data: data.subarray(from * width, to * width) };
}

/**
 * Reads in pieces, straight into the matrix: of any size that fits memory once.
 * @param mend what the message advises where there is no file
 * @returns the matrix [N, D] as float32
 * @throws InputError if the file is missing, is no .npy, is truncated or too long, or holds something else than a
 *   two-dimensional array of floating-point numbers
 */
export function readNpy(path: string, mend = 'check the path'): Vectors {
  return withFileSource(path, mend, (source) => (isZip(source) ? onlyMatrix : readNpyBytes)(path, source));
}

/**
 * Writes [N, D], in pieces.
 * @throws Error if the numbers are not N * D
 */
export function writeNpy(path: string, vectors: Vectors, options: NpyOptions = {}): void {
  const pieces = npyPieces(vectors, options);
  writeWith(path, (temporary) => writePieces(temporary, pieces));
}
