/** The safetensors reader: what it reads, and that no header can make it crash, hang or believe a lie. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from '../fast-check.js';
import { expect, test } from 'vitest';
import { readSafetensors, writeSafetensors } from '../../lib/files/safetensors.js';
import { InputError } from '../../lib/support/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-safetensors-'));
const path = join(folder, 'x.safetensors');

function fileOf(header: unknown, data: Uint8Array, length?: bigint): string {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const first = Buffer.alloc(8);
  first.writeBigUInt64LE(length ?? BigInt(json.length));
  writeFileSync(path, Buffer.concat([first, json, data]));
  return path;
}

test('what is written is read, names of any letters and empty tensors included', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ minLength: 1 }), fc.array(fc.float({ noNaN: true }), { maxLength: 20 }), {
        maxKeys: 5,
      }),
      (tensors) => {
        delete tensors.__metadata__;
        const arrays = new Map(
          Object.entries(tensors).map(([name, values]) => [
            name,
            { shape: [values.length], data: Float32Array.from(values) },
          ]),
        );
        writeSafetensors(path, arrays);
        expect(readSafetensors(path)).toEqual(arrays);
      },
    ),
    { numRuns: 60 },
  );
});

test('a tensor may be called anything', () => {
  const arrays = new Map([['__proto__', { shape: [1], data: Float32Array.of(7) }]]);
  writeSafetensors(path, arrays);
  expect(readSafetensors(path)).toEqual(arrays);
});

test('bfloat16 and float16 become the float32 of the same value', () => {
  const data = Buffer.from(Uint16Array.from([0x3fc0, 0xc000, 0x3e00, 0xc000, 0x0001, 0x7c00]).buffer);
  const header = {
    b: { dtype: 'BF16', shape: [2], data_offsets: [0, 4] },
    h: { dtype: 'F16', shape: [2, 2], data_offsets: [4, 12] },
  };
  const arrays = readSafetensors(fileOf(header, data));
  expect([...arrays.get('b')!.data]).toEqual([1.5, -2]);
  expect([...arrays.get('h')!.data]).toEqual([1.5, -2, 2 ** -24, Infinity]);
});

test.each([
  [
    'cut short',
    () => fileOf({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } }, new Uint8Array(7)),
    'cannot lie',
  ],
  ['shorter than eight bytes', () => (writeFileSync(path, 'abc'), path), 'expected at least 8 bytes, got 3'],
  ['10 GB of header', () => fileOf({}, new Uint8Array(0), 10_000_000_000n), 'header of 10000000000 bytes'],
  ['no JSON', () => fileOf('{"a"', new Uint8Array(0)), 'no JSON'],
  ['a list', () => fileOf([], new Uint8Array(0)), 'no object'],
  [
    'another type',
    () => fileOf({ a: { dtype: 'I64', shape: [1], data_offsets: [0, 8] } }, new Uint8Array(8)),
    'a is I64',
  ],
  [
    'offsets outside',
    () => fileOf({ a: { dtype: 'F32', shape: [1], data_offsets: [8, 12] } }, new Uint8Array(4)),
    'cannot lie',
  ],
  [
    'a size that its shape denies',
    () => fileOf({ a: { dtype: 'F32', shape: [3], data_offsets: [0, 8] } }, new Uint8Array(8)),
    'cannot lie',
  ],
  [
    'negative offsets',
    () => fileOf({ a: { dtype: 'F32', shape: [1], data_offsets: [-4, 0] } }, new Uint8Array(8)),
    'no place',
  ],
  [
    'two over one another',
    () =>
      fileOf(
        {
          a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
          b: { dtype: 'F32', shape: [1], data_offsets: [4, 8] },
        },
        new Uint8Array(8),
      ),
    'a and b lie over one another',
  ],
])('%s: one line', (_, make, message) => {
  const file = make();
  expect(() => readSafetensors(file)).toThrow(InputError);
  expect(() => readSafetensors(file)).toThrow(message);
});

test('a file with any byte changed is read or refused, never worse', () => {
  writeSafetensors(path, new Map([['a', { shape: [2, 3], data: Float32Array.from([1, 2, 3, 4, 5, 6]) }]]));
  const whole = readFileSync(path);
  fc.assert(
    fc.property(
      fc.nat({ max: whole.length - 1 }),
      fc.nat({ max: 255 }),
      fc.nat({ max: whole.length }),
      (at, byte, cut) => {
        const bytes = Buffer.from(whole.subarray(0, Math.max(cut, at)));
        if (at < bytes.length) bytes[at] = byte;
        writeFileSync(path, bytes);
        try {
          for (const { shape, data } of readSafetensors(path).values()) {
            expect(data.length).toBe(shape.reduce((product, n) => product * n, 1));
          }
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
        }
      },
    ),
    { numRuns: 300 },
  );
});
