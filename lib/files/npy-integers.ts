/**
 * NumPy's .npy files of whole numbers: tables of codes, as other systems save them.
 *
 * Read: int8 to int64 and uint8 to uint32 of either byte order, C and Fortran order. Written: int32 in C order.
 *
 * Shapes: N rows, L columns.
 */
import { InputError } from '../support/errors.js';
import { writeWith } from './files.js';
import { LONGEST_HEADER, parseAnyNpyHeader } from './npy-header.js';
import { withFileSource, writePieces } from './npy-source.js';

/** Bytes of a number, and how it is read at a place. */
type Kind = [bytes: number, read: (view: DataView, at: number, little: boolean) => number];

const KINDS: Readonly<Record<string, Kind>> = {
  i1: [1, (view, at) => view.getInt8(at)],
  u1: [1, (view, at) => view.getUint8(at)],
  i2: [2, (view, at, little) => view.getInt16(at, little)],
  u2: [2, (view, at, little) => view.getUint16(at, little)],
  i4: [4, (view, at, little) => view.getInt32(at, little)],
  u4: [4, (view, at, little) => view.getUint32(at, little)],
  i8: [8, (view, at, little) => Number(view.getBigInt64(at, little))],
};

/**
 * @param mend what the message advises where there is no file
 * @returns [N][L]
 * @throws InputError if the file is missing, damaged, or no table of whole numbers
 */
export function readIntegerNpy(path: string, mend = 'check the path'): number[][] {
  return withFileSource(path, mend, (source) => {
    const head = new Uint8Array(Math.min(source.size, LONGEST_HEADER));
    source.read(head, 0);
    const { descr, fortran, rows, width, offset } = parseAnyNpyHeader(path, head);
    const kind = KINDS[descr.slice(1)];
    if (!kind) throw new InputError(`${path}: expected whole numbers, got ${descr}; save them as int32`);
    const [bytes, read] = kind;
    if (source.size !== offset + rows * width * bytes) {
      throw new InputError(
        `${path}: expected ${offset + rows * width * bytes} bytes, got ${source.size}; write it again`,
      );
    }
    const body = new Uint8Array(rows * width * bytes);
    source.read(body, offset);
    const view = new DataView(body.buffer);
    const at = (i: number, j: number): number => (fortran ? j * rows + i : i * width + j) * bytes;
    const little = descr[0] !== '>';
    return Array.from({ length: rows }, (_, i) =>
      Array.from({ length: width }, (_, j) => read(view, at(i, j), little)),
    );
  });
}

/** @param table [N][L], of int32 */
export function writeIntegerNpy(path: string, table: readonly (readonly number[])[]): void {
  const width = table[0]?.length ?? 0;
  const numbers = new DataView(new ArrayBuffer(table.length * width * 4));
  table.forEach((row, i) => row.forEach((value, j) => numbers.setInt32((i * width + j) * 4, value, true)));
  const header = integerHeader(table.length, width);
  writeWith(path, (temporary) => writePieces(temporary, [header, new Uint8Array(numbers.buffer)]));
}

function integerHeader(rows: number, width: number): Buffer {
  const dictionary = `{'descr': '<i4', 'fortran_order': False, 'shape': (${rows}, ${width}), }`;
  const padded = Math.ceil((10 + dictionary.length + 1) / 64) * 64;
  const bytes = Buffer.alloc(padded);
  bytes.write('\x93NUMPY\x01\x00', 'latin1');
  bytes.writeUInt16LE(padded - 10, 8);
  bytes.write(dictionary.padEnd(padded - 11) + '\n', 10, 'latin1');
  return bytes;
}
