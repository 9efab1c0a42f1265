/** Files of tensors that are cut before they are opened, between opening and reading, and while they are mapped. */
import { mkdtempSync, readFileSync, renameSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterEach, describe, expect, test } from 'vitest';
import { beamSearch } from '../../lib/decode/beam-search.js';
import { buildTrie } from '../../lib/decode/item-trie.js';
import { useEngine } from '../../lib/engine/engine.js';
import { registerNativeOps, unregisterNativeOps } from '../../lib/engine/native-ops.js';
import { SafetensorsFile } from '../../lib/files/safetensors.js';
import { loadModel, saveModel } from '../../lib/lm/model.js';
import { fromBfloat16 } from '../../lib/ops/bfloat16.js';
import { hasFused } from '../../lib/ops/fused.js';
import type { Precision } from '../../lib/ops/precision.js';
import { checkMappedFiles, readTensor } from '../../lib/ops/read-tensor.js';
import { InputError } from '../../lib/support/errors.js';

const engine = await useEngine();
const native = hasFused('SidlabReadTensor');
const faces = native ? ['fused', 'plain'] : ['plain'];
const inFace = (face: string): void => void (face === 'plain' && engine === 'tensorflow' && unregisterNativeOps());
afterEach(() => void (engine === 'tensorflow' && registerNativeOps()));

const folder = mkdtempSync(join(tmpdir(), 'sidlab-cut-'));
let files = 0;

/** Numbers of each tensor; several pages each, and no tensor ends with one. */
const NUMBERS = 5000;
const KINDS = { first: 'F32', halves: 'BF16', float16: 'F16', last: 'F32' } as const;
const BYTES = { F32: 4, BF16: 2, F16: 2 } as const;

/** A file whose numbers are all 1.5. */
function wholeFile(): { path: string; begin: number; size: number } {
  const bits = { F32: 0x3fc00000, BF16: 0x3fc0, F16: 0x3e00 } as const;
  let at = 0;
  const header: Record<string, unknown> = {};
  const parts = Object.entries(KINDS).map(([name, dtype]) => {
    const data = BYTES[dtype] === 4 ? new Uint32Array(NUMBERS) : new Uint16Array(NUMBERS);
    const room = Buffer.alloc(Math.ceil(data.byteLength / 64) * 64);
    room.set(new Uint8Array(data.fill(bits[dtype]).buffer));
    header[name] = { dtype, shape: [NUMBERS], data_offsets: [at, at + data.byteLength] };
    at += room.length;
    return room;
  });
  const data = Buffer.concat(parts).subarray(0, at - 64 + ((NUMBERS * 4) % 64 || 64));
  const json = JSON.stringify(header);
  const begin = Math.ceil((8 + json.length) / 64) * 64;
  const first = Buffer.alloc(8);
  first.writeBigUInt64LE(BigInt(begin - 8));
  const path = join(folder, `${files++}.safetensors`);
  writeFileSync(path, Buffer.concat([first, Buffer.from(json.padEnd(begin - 8)), data]));
  return { path, begin, size: begin + data.length };
}

const { begin, size } = wholeFile();
const PLACES: [string, number][] = [
  ['nothing left', 0],
  ['in the length of the header', 5],
  ['in the header', begin >> 1],
  ['behind the header', begin],
  ['in the first number', begin + 2],
  ['between two numbers, in a page', begin + 4 * 1200],
  ['at the end of a page', 8192],
  ['between two tensors', begin + Math.ceil((NUMBERS * 4) / 64) * 64],
  ['in a tensor of halves', begin + Math.ceil((NUMBERS * 4) / 64) * 64 + 2 * 2500],
  ['in the last page', size - 100],
  ['in the last number', size - 1],
];

function expectOneLine(work: () => unknown, text: RegExp): void {
  let error: unknown;
  try {
    work();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(InputError);
  expect((error as InputError).message).toMatch(text);
  expect((error as InputError).message).not.toContain('\n');
}

describe.each(PLACES)('%s (%i bytes left)', (_, left) => {
  test('before it is opened', () => {
    const { path } = wholeFile();
    truncateSync(path, left);
    expectOneLine(() => new SafetensorsFile(path), /the file is damaged, fetch or write it anew$/);
  });

  test.each(faces)('while it is open: what lies before is read, the rest refused (%s)', (face) => {
    inFace(face);
    const { path } = wholeFile();
    const file = new SafetensorsFile(path);
    truncateSync(path, left);
    for (const [name, dtype] of Object.entries(KINDS)) {
      const { offset } = file.place(name);
      if (offset + NUMBERS * BYTES[dtype] > left) {
        expectOneLine(() => readTensor(file, name), /\.safetensors: became shorter while it was read; /);
        expectOneLine(() => file.read(name), /\.safetensors: became shorter while it was read; /);
        expectOneLine(() => [...file.chunks(name)], /\.safetensors: became shorter while it was read; /);
      } else expect(new Set(readTensor(file, name).dataSync())).toEqual(new Set([1.5]));
    }
    file.close();
  });

  const readAs = (name: string): Precision => (name === 'halves' ? 'bfloat16' : 'float32');
  test.each(faces)('while it is in use: no page of another number, and an error (%s)', (face) => {
    inFace(face);
    const { path } = wholeFile();
    const file = new SafetensorsFile(path);
    const tensors = Object.keys(KINDS).map((name) => ({
      ...file.place(name),
      tensor: readTensor(file, name, readAs(name)),
    }));
    file.close();
    checkMappedFiles(tensors.map(({ tensor }) => tensor));
    truncateSync(path, left);
    for (const { tensor, offset, dtype } of tensors) {
      const pageEnd = Math.ceil(left / 4096) * 4096; // what is left of the page is zeros
      tf.tidy(() => fromBfloat16(tensor))
        .dataSync()
        .forEach((x, i) => {
          const at = offset + i * BYTES[dtype];
          const right = at + BYTES[dtype] <= left ? x === 1.5 : at < pageEnd || Number.isNaN(x) || x === 1.5;
          if (!right) throw new Error(`byte ${at} of ${left}: ${x}`);
        });
    }
    const check = (): void => checkMappedFiles(tensors.map(({ tensor }) => tensor));
    if (face === 'plain')
      check(); // read, not mapped
    else expectOneLine(check, /: became shorter while it was in use \(\d+ of \d+ bytes\); write it again$/);
    tensors.forEach(({ tensor }) => tensor.dispose());
  });
});

describe.runIf(native)('a model whose file changes while it is in use', () => {
  const trie = buildTrie([
    [1, 2],
    [4, 2],
  ]);
  const inUse = () => {
    const at = join(folder, `model-${files++}`);
    saveModel(at, loadModel('test/golden/llama'));
    const weights = join(at, 'model.safetensors');
    const bytes = readFileSync(weights);
    return { model: loadModel(at), weights, bytes };
  };
  const search = ({ model }: ReturnType<typeof inUse>) => beamSearch(model, trie, [[30, 35]], { numBeams: 2 });

  test('is whole: results', () => {
    expect(search(inUse())[0]!.items.length).toBe(2);
  });

  test.each([0.1, 0.5, 1])('loses its end: one line, not a crash (%d of the file is left)', (share) => {
    const used = inUse();
    truncateSync(used.weights, Math.floor(share * (used.bytes.length - 1)));
    expectOneLine(() => search(used), /model\.safetensors: became shorter while it was in use/);
  });

  test('is written over: one line', () => {
    const used = inUse();
    writeFileSync(used.weights, used.bytes);
    utimesSync(used.weights, 1, 1);
    expectOneLine(() => search(used), /model\.safetensors: was written over while it was in use/);
  });

  test('is replaced by another: results of the one that was loaded', () => {
    const used = inUse();
    const before = search(used);
    writeFileSync(`${used.weights}.new`, 'x');
    renameSync(`${used.weights}.new`, used.weights);
    expect(search(used)).toEqual(before);
  });
});
