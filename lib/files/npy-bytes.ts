/**
 * A matrix from and to the bytes of one .npy array, wherever they lie (a file of their own, a member of an .npz).
 *
 * Shapes: N rows, D width.
 */
import { InputError } from '../support/errors.js';
import { halfToNumber } from './half-floats.js';
import { BYTES, type Dtype, formatNpyHeader, parseNpyHeader } from './npy-header.js';
import { numberToHalf } from './number-to-half.js';

/** A matrix of float32 in row-major order; of item vectors row = item id. */
export interface Vectors {
  rows: number;
  width: number;
  /** [rows * width] */
  data: Float32Array;
}

/**
 * @param path of the file, for messages
 * @throws InputError if the bytes are no .npy, are cut short or too long, or hold something else than a
 *   two-dimensional array of floating-point numbers; nothing larger than the bytes themselves (four times, of float16)
 *   is allocated before that is known
 */
export function parseNpy(path: string, bytes: Uint8Array): Vectors {
  const { dtype, littleEndian, fortran, rows, width, offset } = parseNpyHeader(path, bytes);
  const size = BYTES[dtype];
  const expected = offset + rows * width * size;
  if (bytes.length !== expected) {
    throw new InputError(
      `${path}: expected ${expected} bytes for ${rows} x ${width}, got ${bytes.length}; write it anew`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, bytes.byteLength - offset);
  const numbers = new Float32Array(rows * width);
  read(view, dtype, littleEndian, numbers);
  return { rows, width, data: fortran ? transposed(numbers, width, rows) : numbers };
}

function read(view: DataView, dtype: Dtype, little: boolean, into: Float32Array): void {
  const { length } = into;
  switch (dtype) {
    case 'float16':
      for (let i = 0; i < length; i++) into[i] = halfToNumber(view.getUint16(i * 2, little));
      return;
    case 'float32':
      for (let i = 0; i < length; i++) into[i] = view.getFloat32(i * 4, little);
      return;
    case 'float64':
      for (let i = 0; i < length; i++) into[i] = view.getFloat64(i * 8, little);
      return;
    default:
      throw new Error(`parseNpy: unknown dtype ${dtype satisfies never}`);
  }
}

/** [R, C] -> [C, R] */
function transposed(data: Float32Array, rows: number, columns: number): Float32Array {
  if (data.length === 0) return data;
  const turned = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) turned[j * rows + i] = data[i * columns + j]!;
  return turned;
}

export interface NpyOptions {
  /** Default `float32`; `float16` rounds to even and takes half of the room. */
  dtype?: Dtype;
  /** Column after column (Fortran's order) in place of row after row. Default false. */
  fortran?: boolean;
}

/** @throws Error if the numbers are not N * D */
export function formatNpy(vectors: Vectors, options: NpyOptions = {}): Buffer {
  const { dtype = 'float32', fortran = false } = options;
  const { rows, width, data } = vectors;
  if (data.length !== rows * width) {
    throw new Error(`formatNpy: expected ${rows} x ${width} = ${rows * width} numbers, got ${data.length}`);
  }
  const header = formatNpyHeader({ dtype, fortran, rows, width });
  const bytes = Buffer.alloc(header.length + data.length * BYTES[dtype]);
  bytes.set(header);
  const view = new DataView(bytes.buffer, bytes.byteOffset + header.length);
  const numbers = fortran ? transposed(data, rows, width) : data;
  switch (dtype) {
    case 'float16':
      numbers.forEach((x, i) => view.setUint16(i * 2, numberToHalf(x), true));
      return bytes;
    case 'float32':
      numbers.forEach((x, i) => view.setFloat32(i * 4, x, true));
      return bytes;
    case 'float64':
      numbers.forEach((x, i) => view.setFloat64(i * 8, x, true));
      return bytes;
    default:
      throw new Error(`formatNpy: unknown dtype ${dtype satisfies never}`);
  }
}
