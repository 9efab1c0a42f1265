/**
 * NumPy's .npy files, so that vectors made here open in Python and the other way round.
 *
 * Follows the format's own description (numpy.lib.format, versions 1.0 to 3.0). Departures:
 *   1. two dimensions only, rows by columns;
 *   2. read: little-endian float32, float64 and float16, C and Fortran order, all turned into float32 in C order;
 *      written: float32 in C order, version 1.0;
 *   3. a file longer than its header says is an error, like a shorter one.
 *
 * Shapes: N rows (items), D width.
 */
import { existsSync, readFileSync } from 'node:fs';
import { InputError } from '../support/errors.js';
import { writeAtomic } from '../support/files.js';

/** A matrix of float32 in row-major order; of item vectors row = item id. */
export interface Vectors {
  rows: number;
  width: number;
  /** [rows * width] */
  data: Float32Array;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
const BYTES: Record<string, number> = { '<f4': 4, '<f8': 8, '<f2': 2 };

/** Row `i` of [N, D], a view without a copy [D]. */
export function rowOf(vectors: Vectors, i: number): Float32Array {
  return vectors.data.subarray(i * vectors.width, (i + 1) * vectors.width);
}

/**
 * @returns the matrix [N, D] as float32
 * @throws InputError if the file is missing, is no .npy, is cut short or too long, or holds something else than a
 *   two-dimensional array of floating-point numbers
 */
export function readNpy(path: string, mend = 'check the path'): Vectors {
  if (!existsSync(path)) throw new InputError(`${path}: no such file; ${mend}`);
  const bytes = readFileSync(path);
  const { dtype, fortran, rows, width, offset } = parseHeader(path, bytes);
  const size = BYTES[dtype]!;
  const expected = offset + rows * width * size;
  if (bytes.length !== expected) {
    throw new InputError(
      `${path}: expected ${expected} bytes for ${rows} x ${width}, got ${bytes.length}; write it anew`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset);
  const read = reader(view, dtype);
  const data = new Float32Array(rows * width);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < width; j++) data[i * width + j] = read((fortran ? j * rows + i : i * width + j) * size);
  }
  return { rows, width, data };
}

function reader(view: DataView, dtype: string): (at: number) => number {
  if (dtype === '<f4') return (at) => view.getFloat32(at, true);
  if (dtype === '<f8') return (at) => view.getFloat64(at, true);
  return (at) => halfToNumber(view.getUint16(at, true));
}

/** IEEE 754 binary16: 1 sign bit, 5 exponent bits, 10 of the fraction. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
}

function parseHeader(path: string, bytes: Buffer) {
  const version = bytes[6];
  if (bytes.length < 12 || MAGIC.some((byte, i) => bytes[i] !== byte) || ![1, 2, 3].includes(version!)) {
    throw new InputError(`${path}: not a .npy file; save it with numpy.save`);
  }
  const lengthBytes = version === 1 ? 2 : 4;
  const offset = 8 + lengthBytes + bytes.readUIntLE(8, lengthBytes);
  const header = bytes.toString('latin1', 8 + lengthBytes, offset);
  const dtype = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const shape = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1];
  if (offset > bytes.length || dtype === undefined || order === undefined || shape === undefined) {
    throw new InputError(`${path}: its .npy header is damaged; write it anew`);
  }
  if (!(dtype in BYTES)) {
    throw new InputError(
      `${path}: expected float32, float64 or float16 (little-endian), got ${dtype}; save it as float32`,
    );
  }
  const sizes = shape.split(',').filter((size) => size.trim() !== '');
  if (sizes.length !== 2 || !sizes.every((size) => /^\s*\d+\s*$/.test(size))) {
    throw new InputError(`${path}: expected two dimensions (rows, width), got (${shape}); reshape it`);
  }
  const [rows, width] = sizes.map(Number) as [number, number];
  return { dtype, fortran: order === 'True', rows, width, offset };
}

/**
 * Writes [N, D] as float32.
 * @throws Error if the numbers are not N * D
 */
export function writeNpy(path: string, vectors: Vectors): void {
  const { rows, width, data } = vectors;
  if (data.length !== rows * width) {
    throw new Error(`writeNpy: expected ${rows} x ${width} = ${rows * width} numbers, got ${data.length}`);
  }
  const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${width}), }`;
  const padded = Math.ceil((10 + dictionary.length + 1) / 64) * 64; // the data begin at a multiple of 64
  const bytes = Buffer.alloc(padded + data.length * 4);
  bytes.set([...MAGIC, 1, 0]);
  bytes.writeUInt16LE(padded - 10, 8);
  bytes.write(dictionary.padEnd(padded - 11) + '\n', 10, 'latin1');
  const view = new DataView(bytes.buffer, bytes.byteOffset + padded);
  for (let i = 0; i < data.length; i++) view.setFloat32(i * 4, data[i]!, true);
  writeAtomic(path, bytes);
}
