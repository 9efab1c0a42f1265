import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readNpy, writeNpy } from '../../lib/embed/index.js';

const dir = mkdtempSync(join(tmpdir(), 'npy-'));
const path = join(dir, 'x.npy');

function npy(dictionary: string, data: Buffer): string {
  const header = Buffer.alloc(10 + dictionary.length);
  header.write('\x93NUMPY\x01\x00', 'latin1');
  header.writeUInt16LE(dictionary.length, 8);
  header.write(dictionary, 10, 'latin1');
  writeFileSync(path, Buffer.concat([header, data]));
  return path;
}

test('what is written is read back', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 5 }),
      fc.integer({ min: 1, max: 4 }),
      fc.infiniteStream(fc.float()),
      (rows, width, numbers) => {
        const data = Float32Array.from({ length: rows * width }, () => numbers.next().value as number);
        writeNpy(path, { rows, width, data });
        expect(readNpy(path)).toEqual({ rows, width, data });
      },
    ),
    { numRuns: 30 },
  );
});

test('the bytes are those of numpy.save', () => {
  writeNpy(path, { rows: 1, width: 2, data: Float32Array.of(1, -2) });
  const bytes = readFileSync(path);
  const dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }";
  expect(bytes.length).toBe(128 + 8);
  expect(bytes.toString('latin1', 10, 128)).toBe(dictionary.padEnd(117) + '\n');
  expect(bytes.subarray(128).toString('hex')).toBe('0000803f000000c0');
});

test('float64, float16 and Fortran order', () => {
  const doubles = Buffer.alloc(32);
  [1, 2, 3, 4].forEach((x, i) => doubles.writeDoubleLE(x, i * 8));
  const fortran = npy("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 2), }\n", doubles);
  expect([...readNpy(fortran).data]).toEqual([1, 3, 2, 4]);
  const halves = Buffer.from([0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00, 0x00, 0x7c]); // 1, -2, 2^-24, infinity
  const half = npy("{'descr': '<f2', 'fortran_order': False, 'shape': (1, 4), }\n", halves);
  expect([...readNpy(half).data]).toEqual([1, -2, 2 ** -24, Infinity]);
});

test('a file that is none of this says why in one line', () => {
  const header = (descr: string, shape: string) =>
    `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }\n`;
  const one = Buffer.alloc(4);
  expect(() => readNpy(join(dir, 'none.npy'), 'run sidlab embed')).toThrow('no such file; run sidlab embed');
  writeFileSync(path, 'hello');
  expect(() => readNpy(path)).toThrow('not a .npy file');
  expect(() => readNpy(npy(header('<f4', '2, 2'), one))).toThrow(/expected \d+ bytes for 2 x 2, got \d+/);
  expect(() => readNpy(npy(header('<f4', '0, 1'), one))).toThrow('bytes for 0 x 1');
  expect(() => readNpy(npy(header('<i8', '1, 1'), one))).toThrow('got <i8');
  expect(() => readNpy(npy(header('>f4', '1, 1'), one))).toThrow('got >f4');
  expect(() => readNpy(npy(header('<f4', '1,'), one))).toThrow('expected two dimensions (rows, width), got (1,)');
  expect(() => readNpy(npy("{'descr': '<f4'}", one))).toThrow('header is damaged');
  expect(() => writeNpy(path, { rows: 2, width: 2, data: new Float32Array(3) })).toThrow('2 x 2 = 4 numbers, got 3');
});
