/** Tensors out of safetensors files: the engine's own reader against the one in JavaScript, bit for bit. */
import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { registerNativeOps, unregisterNativeOps } from '../../lib/engine/native-ops.js';
import { SafetensorsFile, writeSafetensors } from '../../lib/files/safetensors.js';
import { adamw } from '../../lib/ops/adamw.js';
import { hasFused } from '../../lib/ops/fused.js';
import { readTensor } from '../../lib/ops/read-tensor.js';
import { Random } from '../../lib/support/random.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-read-'));
const random = new Random('read-tensor');
const floats = (n: number): Float32Array => Float32Array.from({ length: n }, () => random.normal());

let native = false;
beforeAll(async () => {
  await useEngine();
  native = hasFused('SidlabReadTensor');
});
afterEach(() => void (native && registerNativeOps()));

/** A file whose tensors begin `shift` bytes beyond a multiple of 64. */
function rawFile(name: string, shift: number, tensors: [string, string, number[], Uint8Array][]): string {
  let at = 0;
  const header = Object.fromEntries(
    tensors.map(([name, dtype, shape, bytes]) => {
      const from = at;
      at += bytes.length;
      return [name, { dtype, shape, data_offsets: [from, at] }];
    }),
  );
  const text = JSON.stringify(header);
  const length = Math.ceil((8 + text.length) / 64) * 64 + shift - 8;
  const first = Buffer.alloc(8);
  first.writeBigUInt64LE(BigInt(length));
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat([first, Buffer.from(text.padEnd(length)), ...tensors.map(([, , , of]) => of)]));
  return path;
}

function expectSame(path: string): void {
  const file = new SafetensorsFile(path);
  for (const name of file.names) {
    const { shape, data } = file.read(name);
    const tensor = readTensor(file, name);
    expect(tensor.shape).toEqual(shape);
    const bytes = (of: Float32Array): Buffer => Buffer.from(of.buffer, of.byteOffset, of.byteLength);
    expect(bytes(tensor.dataSync<'float32'>()).equals(bytes(data))).toBe(true);
    tensor.dispose();
  }
  file.close();
}

test('what this library writes: mapped, odd sizes and empty tensors among them', () => {
  const path = join(folder, 'ours.safetensors');
  const shapes = [[300, 64], [7, 3], [5], [0, 4], [], [64, 16]]; // prettier-ignore
  writeSafetensors(
    path,
    new Map(shapes.map((shape, i) => [`t${i}`, { shape, data: floats(shape.reduce((a, b) => a * b, 1)) }])),
  );
  expectSame(path);
  if (native) unregisterNativeOps();
  expectSame(path);
});

test('a tensor behind the first GiB of its file', () => {
  const pad = 1.5 * 2 ** 30; // of which nothing is on the disk
  const header = JSON.stringify({
    pad: { dtype: 'U8', shape: [pad], data_offsets: [0, pad] },
    t: { dtype: 'F32', shape: [16], data_offsets: [pad, pad + 64] },
  });
  const first = Buffer.alloc(8);
  first.writeBigUInt64LE(248n);
  const path = join(folder, 'large.safetensors');
  const descriptor = openSync(path, 'w');
  writeSync(descriptor, Buffer.concat([first, Buffer.from(header.padEnd(248))]));
  const data = floats(16);
  writeSync(descriptor, Buffer.from(data.buffer), 0, 64, 256 + pad);
  closeSync(descriptor);
  const file = new SafetensorsFile(path);
  expect(readTensor(file, 't').dataSync()).toEqual(data);
  file.close();
  rmSync(path);
});

test.each([0, 8, 4, 1])('float32 that begins %i bytes beyond a multiple of 64', (shift) => {
  const bytes = (n: number): Uint8Array => new Uint8Array(floats(n).buffer);
  const path = rawFile(`shift-${shift}`, shift, [
    ['large', 'F32', [700, 1024], bytes(700 * 1024)],
    ['small', 'F32', [3], bytes(3)],
  ]);
  expectSame(path);
});

test('all 65,536 halves of either kind, NaN, infinities and subnormals among them', () => {
  const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
  // a NaN's payload is nobody's to keep, so float16's are one
  const halves = all.filter((half) => (half & 0x7c00) !== 0x7c00 || (half & 0x3ff) === 0);
  const path = rawFile('halves', 8, [
    ['f16', 'F16', [halves.length], new Uint8Array(halves.buffer)],
    ['bf16', 'BF16', [65536], new Uint8Array(all.buffer)],
  ]);
  expectSame(path);
});

test('an update in place leaves the file as it was', () => {
  const path = join(folder, 'state.safetensors');
  const data = floats(256);
  writeSafetensors(path, new Map([['m', { shape: [256], data }]]));
  const file = new SafetensorsFile(path);
  const [m, v] = [tf.variable(readTensor(file, 'm')), tf.variable(readTensor(file, 'm').square())];
  adamw(tf.ones([256]), tf.ones([256]), { m, v }, 1, 0.1).dataSync();
  expect(m.dataSync()).not.toEqual(data);
  expect(file.read('m').data).toEqual(data);
  file.close();
});

test.each([0, 4])('a file that lost its end while it was open is an error, %i bytes beyond', (shift) => {
  const path = rawFile(`short-${shift}`, shift, [['t', 'F32', [4096], new Uint8Array(4 * 4096)]]);
  const file = new SafetensorsFile(path);
  truncateSync(path, 1000);
  expect(() => readTensor(file, 't').dataSync()).toThrow(/became shorter/);
  appendFileSync(path, 'x');
  file.close();
});
