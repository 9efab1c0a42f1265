import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from '../fast-check.js';
import { expect, test } from 'vitest';
import { halfToNumber } from '../../lib/files/half-floats.js';
import { DTYPES, formatNpyHeader } from '../../lib/files/npy-header.js';
import { readIntegerNpy } from '../../lib/files/npy-integers.js';
import { withNpyRows } from '../../lib/files/npy-rows.js';
import { readNpy, writeNpy } from '../../lib/files/npy.js';
import { withFileSource } from '../../lib/files/npy-source.js';
import { readNpz, writeNpz } from '../../lib/files/npz.js';
import { readSafetensors } from '../../lib/files/safetensors.js';
import { numberToHalf } from '../../lib/files/number-to-half.js';
import { InputError } from '../../lib/support/errors.js';

interface Golden {
  values: Record<string, number[][]>;
  /** Bits of float32, and of the float16 that NumPy rounds them to. */
  floats: number[];
  halves: number[];
}

const FOLDER = fileURLToPath(new URL('../golden/npy', import.meta.url));
const golden = JSON.parse(readFileSync(join(FOLDER, 'golden.json'), 'utf8')) as Golden;

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
  expect(() => readNpy(npy(header('|b1', '1, 1'), one))).toThrow('got |b1');
  expect(() => readNpy(npy(header('<f4', '1,'), one))).toThrow('expected two dimensions (rows, width), got (1,)');
  expect(() => readNpy(npy("{'descr': '<f4'}", one))).toThrow('header is damaged');
  expect(() => readNpy(npy(header('<f4', '1, 1').replace('}', "'x': True}"), one))).toThrow('header is damaged');
  expect(() => readNpy(npy(`junk ${header('<f4', '1, 1')}`, one))).toThrow('header is damaged');
  expect(() => readNpy(npy(header('<f4', '9007199254740991, 0'), Buffer.alloc(0)))).toThrow('is no size of a file');
  expect(() => writeNpy(path, { rows: 2, width: 2, data: new Float32Array(3) })).toThrow('2 x 2 = 4 numbers, got 3');
});

test("NumPy's own files: three widths, both byte orders, both orders of the numbers, three versions", () => {
  expect(Object.keys(golden.values).length).toBe(14);
  for (const [name, values] of Object.entries(golden.values)) {
    const { rows, width, data } = readNpy(join(FOLDER, `${name}.npy`));
    expect([name, rows, width, ...data]).toEqual([name, 2, 3, ...values.flat()]);
  }
});

test("NumPy's own archives, stored and deflated", () => {
  const { a, b } = readNpz(join(FOLDER, 'stored.npz'));
  expect([...a!.data]).toEqual(golden.values['version-2']!.flat());
  expect(b).toEqual(readNpy(join(FOLDER, 'version-2.npy')));
  const deflated = readNpy(join(FOLDER, 'deflated.npz')); // one array: as if it were an .npy
  expect([deflated.rows, deflated.width]).toEqual([16, 3]);
  expect(() => readNpy(join(FOLDER, 'stored.npz'))).toThrow('expected one array, got a, b');
  expect(() => readNpz(join(FOLDER, 'stored.npz'), ['c'])).toThrow('no array c; it has a, b');
  expect(() => readNpz(join(FOLDER, 'mixed.npz'))).toThrow(
    'mixed.npz:ids: expected float32, float64 or float16, got <i8',
  );
  expect(Object.keys(readNpz(join(FOLDER, 'mixed.npz'), ['a']))).toEqual(['a']);
});

test('a header is read or refused at once, however many blanks it holds', () => {
  const pair = (blanks: string) => `'descr'${blanks}:${blanks}'<f4'${blanks},${blanks}`;
  const blanks = ' '.repeat(400);
  const whole = `{${blanks}${pair(blanks)}'fortran_order'${blanks}:${blanks}False${blanks},${blanks}'shape': (${blanks}1${blanks},${blanks}1${blanks},${blanks})${blanks},${blanks}}${blanks}\n`;
  expect(readNpy(npy(whole, Buffer.alloc(4)))).toEqual({ rows: 1, width: 1, data: Float32Array.of(0) });
  const damaged = [
    `{${"'a':True    ".repeat(36)}x`, // 456 bytes with the ten before it
    `{${pair(' '.repeat(2000))}`,
    `{${pair(blanks).repeat(4)}x}`,
    `{'shape': (${' '.repeat(9000)}x), }`,
    `{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1${' '.repeat(9000)}1), }`,
    `{'descr': '<f4', 'fortran_order': False, 'shape': (${'1'.repeat(9000)}, ), }`,
    `{'descr': '<f4' 'fortran_order': False, 'shape': (1, 1), }`, // no comma
  ];
  for (const text of damaged) {
    const start = performance.now();
    expect(() => readNpy(npy(text, Buffer.alloc(4)))).toThrow(/header is damaged|expected two dimensions/);
    expect(performance.now() - start, text.slice(0, 40)).toBeLessThan(200);
  }
});

test('matrices of more than one piece, of every kind; an archive of them', () => {
  const [rows, width] = [3, 1_400_001]; // 4.2 million numbers
  const data = Float32Array.from({ length: rows * width }, (_, at) => (at * 7919) % 2048);
  for (const dtype of DTYPES) {
    for (const fortran of [false, true]) {
      writeNpy(path, { rows, width, data }, { dtype, fortran });
      expect(Buffer.compare(Buffer.from(readNpy(path).data.buffer), Buffer.from(data.buffer))).toBe(0);
    }
  }
  const archive = join(dir, 'large.npz');
  writeNpz(archive, { x: { rows, width, data } });
  expect(Buffer.compare(Buffer.from(readNpy(archive).data.buffer), Buffer.from(data.buffer))).toBe(0);
});

test('a file of more than 2 GiB', () => {
  const [rows, width] = [270_000, 1024];
  const header = formatNpyHeader({ dtype: 'float64', fortran: false, rows, width });
  const large = join(dir, 'large.npy'); // sparse: it takes no room on disk
  const file = openSync(large, 'w');
  writeSync(file, header);
  ftruncateSync(file, header.length + 8 * rows * width);
  writeSync(file, Float64Array.of(2.5), 0, 8, header.length + 8 * (rows * width - 1));
  closeSync(file);
  const { data } = readNpy(large);
  rmSync(large);
  expect([data.length, data.at(-1), data[0]]).toEqual([rows * width, 2.5, 0]);
});

test("rounding to float16 is NumPy's; every half comes back as itself", () => {
  const floats = new Float32Array(Uint32Array.from(golden.floats).buffer);
  expect([...floats].map(numberToHalf)).toEqual(golden.halves);
  const back = Array.from({ length: 65536 }, (_, half) => numberToHalf(halfToNumber(half)));
  const isNaNHalf = (half: number) => (half & 0x7fff) > 0x7c00;
  expect(back.findIndex((half, i) => (isNaNHalf(i) ? !isNaNHalf(half) : half !== i))).toBe(-1);
});

test('every kind that is written is read back', () => {
  const data = Float32Array.of(0.5, -2, 3, 1024, 0.25, -0);
  for (const dtype of DTYPES) {
    for (const fortran of [false, true]) {
      writeNpy(path, { rows: 3, width: 2, data }, { dtype, fortran });
      expect(readNpy(path)).toEqual({ rows: 3, width: 2, data });
      const archive = join(dir, 'x.npz');
      writeNpz(
        archive,
        { x: { rows: 3, width: 2, data }, y: { rows: 0, width: 2, data: new Float32Array() } },
        { dtype },
      );
      expect(readNpz(archive).x).toEqual({ rows: 3, width: 2, data });
      expect(readNpz(archive).y!.rows).toBe(0);
    }
  }
});

test('damage ends in one line or in an array of the right size, never otherwise', () => {
  const files = ['version-2.npy', 'stored.npz', 'deflated.npz'].map((name) => readFileSync(join(FOLDER, name)));
  const damaged = join(dir, 'damaged');
  const hits = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 });
  let errors = 0;
  fc.assert(
    fc.property(fc.constantFrom(...files), hits, fc.option(fc.nat()), (whole, changes, cut) => {
      const bytes = Buffer.from(whole);
      const zip = whole[0] === 0x50;
      for (const [at, value] of changes) bytes[at % (zip ? bytes.length : 128)] = value;
      writeFileSync(damaged, cut === null ? bytes : bytes.subarray(0, cut % bytes.length));
      try {
        const matrices = Object.values(bytes[0] === 0x50 ? readNpz(damaged) : { x: readNpy(damaged) });
        for (const { rows, width, data } of matrices) expect(data.length).toBe(rows * width);
      } catch (error) {
        errors++;
        expect(error).toBeInstanceOf(InputError);
        expect((error as Error).message).not.toContain('\n');
      }
    }),
    { numRuns: 1500 },
  );
  expect(errors).toBeGreaterThan(100);
});

test('cut at any byte: one line', () => {
  const cut = join(dir, 'cut');
  const names = [...Object.keys(golden.values).map((name) => `${name}.npy`), 'stored.npz', 'deflated.npz'];
  for (const name of names) {
    const whole = readFileSync(join(FOLDER, name));
    for (let left = 0; left < whole.length; left++) {
      writeFileSync(cut, whole.subarray(0, left));
      for (const read of name.endsWith('.npz') && left > 1 ? [readNpy, readNpz] : [readNpy]) {
        expect(() => read(cut)).toThrow(InputError);
        expect(() => read(cut)).toThrow(/^[^\n]*; (write it again|save it with numpy\.savez?)$/);
      }
    }
  }
});

test('cut while it is read: one line', () => {
  writeFileSync(path, Buffer.alloc(1000));
  for (const left of [0, 1, 999]) {
    const reading = (): void =>
      withFileSource(path, 'check the path', (source) => {
        truncateSync(path, left);
        source.read(new Uint8Array(1000), 0);
      });
    writeFileSync(path, Buffer.alloc(1000));
    expect(reading).toThrow(InputError);
    writeFileSync(path, Buffer.alloc(1000));
    expect(reading).toThrow(`${path}: became shorter while it was read; write it again`);
  }
});

test('a folder in the place of a file: one line', () => {
  const mend = 'expected a file, got a folder';
  for (const read of [readNpy, readNpz, readIntegerNpy]) expect(() => read(dir)).toThrow(mend);
  expect(() => withNpyRows(dir, 'x', () => 0)).toThrow(mend);
  expect(() => readSafetensors(dir)).toThrow(mend);
});
