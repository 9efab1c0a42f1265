/**
 * A matrix from and to the bytes of one .npy array, wherever they lie (a file of their own, a member of an .npz), in
 * pieces: a matrix may be larger than what one read, one write or one array of bytes takes.
 *
 * Shapes: N rows, D width.
 */
import { endianness } from 'node:os';
import { InputError } from '../support/errors.js';
import { float16ToFloat32 } from './half-floats.js';
import { BYTES, type Dtype, formatNpyHeader, LONGEST_HEADER, type NpyHeader, parseNpyHeader } from './npy-header.js';
import type { ByteSource } from './npy-source.js';
import { numberToHalf } from './number-to-half.js';

/** A matrix of float32 in row-major order; of item vectors row = item id. */
export interface Vectors {
  /** N */
  rows: number;
  /** D */
  width: number;
  /** [rows * width] */
  data: Float32Array;
}

/** Numbers of a piece: 16 MiB of float32. */
const PIECE = 1 << 22;
/** Whether this machine's numbers lie as the files that are written here. */
const NATIVE = endianness() === 'LE';

/**
 * @param path of the file, for messages
 * @throws InputError if the bytes are no .npy, are truncated or too long, or hold something else than a two-dimensional
 *   array of floating-point numbers; nothing larger than the bytes themselves (twice, of float16) is allocated before
 *   that is known
 */
export function readNpyBytes(path: string, source: ByteSource): Vectors {
  const header = npyHeaderOf(path, source);
  const { fortran, rows, width } = header;
  const numbers = new Float32Array(rows * width);
  readNpyNumbers(source, header, 0, numbers);
  return { rows, width, data: fortran ? transposed(numbers, width, rows) : numbers };
}

/** The header of an array whose bytes are as many as it says. @throws InputError as `readNpyBytes` */
export function npyHeaderOf(path: string, source: ByteSource): NpyHeader {
  const head = new Uint8Array(Math.min(source.size, LONGEST_HEADER));
  source.read(head, 0);
  const header = parseNpyHeader(path, head);
  const { dtype, rows, width, offset } = header;
  const expected = offset + rows * width * BYTES[dtype];
  if (source.size !== expected) {
    throw new InputError(
      `${path}: expected ${expected} bytes for ${rows} x ${width}, got ${source.size}; write it again`,
    );
  }
  return header;
}

/** Fills `numbers` with those of the array from number `from` on, in the order of the file. */
export function readNpyNumbers(
  source: ByteSource,
  { dtype, littleEndian, offset }: NpyHeader,
  from: number,
  numbers: Float32Array,
): void {
  const size = BYTES[dtype];
  const buffer = dtype === 'float32' ? undefined : new Uint8Array(Math.min(PIECE, numbers.length) * size);
  for (let at = 0; at < numbers.length; at += PIECE) {
    const into = numbers.subarray(at, at + PIECE);
    const bytes = buffer ? buffer.subarray(0, into.length * size) : bytesOf(into);
    source.read(bytes, offset + (from + at) * size);
    if (littleEndian !== NATIVE) swap(bytes, dtype);
    decode(bytes, dtype, into);
  }
}

/** @param bytes in this machine's order; of float32 they are those of `into` */
function decode(bytes: Uint8Array, dtype: Dtype, into: Float32Array): void {
  switch (dtype) {
    case 'float16':
      into.set(float16ToFloat32(new Uint16Array(bytes.buffer, 0, into.length)));
      return;
    case 'float32':
      return;
    case 'float64':
      into.set(new Float64Array(bytes.buffer, 0, into.length));
      return;
    default:
      throw new Error(`readNpyBytes: unknown dtype ${dtype satisfies never}`);
  }
}

/** Turns the bytes of every number around, in place. */
function swap(bytes: Uint8Array, dtype: Dtype): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (dtype === 'float16') buffer.swap16();
  else if (dtype === 'float32') buffer.swap32();
  else buffer.swap64();
}

/** [R, C] -> [C, R] */
function transposed(data: Float32Array, rows: number, columns: number): Float32Array {
  if (data.length === 0) return data;
  const turned = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) turned[j * rows + i] = data[i * columns + j]!;
  return turned;
}

/** How a matrix is written. */
export interface NpyOptions {
  /** Default `float32`; `float16` rounds to even and takes half of the room. */
  dtype?: Dtype;
  /** Column after column (Fortran's order) in place of row after row. Default false. */
  fortran?: boolean;
}

/**
 * The bytes of a .npy file, piece by piece; a piece may be a view of the numbers.
 * @throws Error if the numbers are not N * D
 */
export function npyPieces(vectors: Vectors, options: NpyOptions = {}): Iterable<Uint8Array> {
  const { dtype = 'float32', fortran = false } = options;
  const { rows, width, data } = vectors;
  if (data.length !== rows * width) {
    throw new Error(`npyPieces: expected ${rows} x ${width} = ${rows * width} numbers, got ${data.length}`);
  }
  const header = formatNpyHeader({ dtype, fortran, rows, width });
  return pieces(header, fortran ? transposed(data, rows, width) : data, dtype);
}

function* pieces(header: Uint8Array, numbers: Float32Array, dtype: Dtype): Iterable<Uint8Array> {
  yield header;
  for (let at = 0; at < numbers.length; at += PIECE) {
    const bytes = encode(numbers.subarray(at, at + PIECE), dtype);
    if (!NATIVE) swap(bytes, dtype);
    yield bytes;
  }
}

/** @returns bytes in this machine's order; of float32 on a little-endian machine those of `numbers` themselves */
function encode(numbers: Float32Array, dtype: Dtype): Uint8Array {
  switch (dtype) {
    case 'float16':
      return new Uint8Array(Uint16Array.from(numbers, numberToHalf).buffer);
    case 'float32':
      return bytesOf(NATIVE ? numbers : numbers.slice());
    case 'float64':
      return new Uint8Array(Float64Array.from(numbers).buffer);
    default:
      throw new Error(`npyPieces: unknown dtype ${dtype satisfies never}`);
  }
}

function bytesOf(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
