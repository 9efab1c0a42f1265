/**
 * The safetensors format: eight bytes of header length, a JSON header, raw little-endian tensors.
 * Here float32; other types come with the loading of published weights.
 */
import { readFileSync } from 'node:fs';
import { InputError } from './errors.js';
import { writeAtomic } from './files.js';

export interface NamedArray {
  shape: number[];
  data: Float32Array;
}

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** @throws InputError if the header lies about the file */
export function readSafetensors(path: string): Map<string, NamedArray> {
  const bytes = readFileSync(path);
  const fail = (what: string): InputError => new InputError(`${path}: ${what}; the file is damaged, write it anew`);
  if (bytes.length < 8) throw fail(`expected at least 8 bytes, got ${bytes.length}`);
  const headerLength = Number(bytes.readBigUInt64LE(0));
  if (headerLength > bytes.length - 8) throw fail(`header of ${headerLength} bytes in a file of ${bytes.length}`);
  let header: Record<string, Entry>;
  try {
    header = JSON.parse(bytes.toString('utf8', 8, 8 + headerLength)) as Record<string, Entry>;
  } catch {
    throw fail('its header is no JSON');
  }
  const arrays = new Map<string, NamedArray>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    arrays.set(name, { shape: entry.shape, data: floats(bytes, 8 + headerLength, name, entry, fail) });
  }
  return arrays;
}

function floats(bytes: Buffer, base: number, name: string, entry: Entry, fail: (what: string) => Error): Float32Array {
  const { dtype, shape, data_offsets: offsets } = entry;
  const [from, to] = offsets ?? [];
  if (dtype !== 'F32') throw fail(`${name} is ${dtype}, expected F32`);
  const size = shape.reduce((product, n) => product * n, 4);
  if (!(from >= 0 && to - from === size && base + to <= bytes.length)) {
    throw fail(`${name} of shape [${shape.join(', ')}] cannot lie at bytes ${from} to ${to}`);
  }
  const data = new Float32Array(size / 4);
  new Uint8Array(data.buffer).set(bytes.subarray(base + from, base + to)); // a copy: the file's bytes may be unaligned
  return data;
}

/** Writes float32 tensors in the order of the map. */
export function writeSafetensors(path: string, arrays: Map<string, NamedArray>): void {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let offset = 0;
  for (const [name, { shape, data }] of arrays) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const text = JSON.stringify(header);
  const json = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8, ' '));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const parts = [...arrays.values()].map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  writeAtomic(path, Buffer.concat([length, json, ...parts]));
}
