/**
 * The header of NumPy's .npy format, read strictly: a file that NumPy would not have written is an error, not a guess.
 *
 * Follows the format's own description (numpy.lib.format, versions 1.0 to 3.0). A header is a Python dictionary with
 * the keys descr, fortran_order and shape, each once, in any order.
 */
import { InputError } from '../support/errors.js';

/** Types of numbers that are read and written. */
export const DTYPES = ['float16', 'float32', 'float64'] as const;
/** A name of `DTYPES`. */
export type Dtype = (typeof DTYPES)[number];

/** What a .npy file says of its numbers. */
export interface NpyHeader {
  dtype: Dtype;
  /** Order of the bytes of a number. */
  littleEndian: boolean;
  /** Column after column in place of row after row. */
  fortran: boolean;
  /** N */
  rows: number;
  /** D; 1 for a list of numbers. */
  width: number;
  /** Bytes before the numbers. */
  offset: number;
}

/** Bytes of a number. */
export const BYTES: Record<Dtype, number> = { float16: 2, float32: 4, float64: 8 };
const MAGIC = Buffer.from('\x93NUMPY', 'latin1');
/**
 * Pairs that end in a comma or before the closing brace. Blanks can be matched in one way only, so that a damaged header
 * fails at once however many there are.
 */
const DICTIONARY = /^\{\s*((?:'\w+'\s*:\s*(?:'[^'\\]*'|True|False|\([\d\s,]*\))\s*(?:,\s*|(?=\})))*)\}\s*$/;
const PAIR = /'(\w+)'\s*:\s*('[^'\\]*'|True|False|\([\d\s,]*\))/g;
/** Characters of the dictionary at most: NumPy itself refuses longer ones. */
const LONGEST = 10_000;
/** Bytes before the numbers at most. */
export const LONGEST_HEADER = 12 + LONGEST;

/** A header of numbers of any type. */
export interface AnyNpyHeader extends Pick<NpyHeader, 'fortran' | 'rows' | 'width' | 'offset'> {
  /** NumPy's name of the type, such as `<f4` or `|u1`. */
  descr: string;
}

/**
 * @param bytes the beginning of the file, `LONGEST_HEADER` or all of it
 * @throws InputError for anything but a two-dimensional array of floating-point numbers; checks no length
 */
export function parseNpyHeader(path: string, bytes: Uint8Array): NpyHeader {
  const { descr, ...rest } = parseAnyNpyHeader(path, bytes, ({ descr }) => {
    if (!FLOAT.test(descr)) {
      throw new InputError(`${path}: expected float32, float64 or float16, got ${descr}; save it as float32`);
    }
  });
  const [, order, size] = FLOAT.exec(descr)!;
  return { dtype: `float${Number(size) * 8}` as Dtype, littleEndian: order === '<', ...rest };
}

const FLOAT = /^([<>])f([248])$/;

/**
 * @param bytes as `parseNpyHeader`'s
 * @param check of the type, before the sizes are read
 * @throws InputError for anything but a two-dimensional array; checks no length
 */
export function parseAnyNpyHeader(
  path: string,
  bytes: Uint8Array,
  check: (found: { descr: string }) => void = () => undefined,
): AnyNpyHeader {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = buffer[6];
  if (buffer.length < 12 || !buffer.subarray(0, 6).equals(MAGIC) || ![1, 2, 3].includes(version!) || buffer[7] !== 0) {
    throw new InputError(`${path}: not a .npy file; save it with numpy.save`);
  }
  const start = version === 1 ? 10 : 12;
  const length = version === 1 ? buffer.readUInt16LE(8) : buffer.readUInt32LE(8);
  const offset = start + length;
  if (length > LONGEST || offset > buffer.length) throw damaged(path);
  const { descr: quoted, fortran_order: order, shape } = dictionaryOf(path, buffer.toString('latin1', start, offset));
  const descr = quoted.slice(1, -1);
  check({ descr });
  return { descr, fortran: order === 'True', ...sizesOf(path, shape), offset };
}

function dictionaryOf(path: string, text: string): { descr: string; fortran_order: string; shape: string } {
  const inside = DICTIONARY.exec(text)?.[1];
  if (inside === undefined) throw damaged(path);
  const pairs = [...inside.matchAll(PAIR)].map(([, key, value]) => [key!, value!] as const);
  const fields = Object.fromEntries(pairs);
  const { descr, fortran_order, shape } = fields;
  const fits = descr?.startsWith("'") && /^(True|False)$/.test(fortran_order ?? '') && shape?.startsWith('(');
  if (!fits || pairs.length !== 3) throw damaged(path);
  return { descr: descr!, fortran_order: fortran_order!, shape: shape! };
}

function sizesOf(path: string, shape: string): { rows: number; width: number } {
  const match = /^\(\s*(\d+)\s*,\s*(\d+)\s*(?:,\s*)?\)$/.exec(shape);
  if (!match) throw new InputError(`${path}: expected two dimensions (rows, width), got ${shape}; reshape it`);
  const [rows, width] = [Number(match[1]), Number(match[2])];
  // Zero columns let any number of rows pass a check of the length.
  if (!Number.isSafeInteger(rows) || !Number.isSafeInteger(width) || Math.max(rows, width) > 2 ** 32) {
    throw new InputError(`${path}: ${shape} is no size of a file; its .npy header is damaged, write it again`);
  }
  return { rows, width };
}

function damaged(path: string): InputError {
  return new InputError(`${path}: its .npy header is damaged; write it again`);
}

/** The bytes before the numbers, as `numpy.save` writes them: version 1.0, padded to a multiple of 64. */
export function formatNpyHeader({ dtype, fortran, rows, width }: Omit<NpyHeader, 'offset' | 'littleEndian'>): Buffer {
  const order = fortran ? 'True' : 'False';
  const dictionary = `{'descr': '<f${BYTES[dtype]}', 'fortran_order': ${order}, 'shape': (${rows}, ${width}), }`;
  const padded = Math.ceil((10 + dictionary.length + 1) / 64) * 64;
  const bytes = Buffer.alloc(padded);
  bytes.set([...MAGIC, 1, 0]);
  bytes.writeUInt16LE(padded - 10, 8);
  bytes.write(dictionary.padEnd(padded - 11) + '\n', 10, 'latin1');
  return bytes;
}
