/**
 * The safetensors format: eight bytes of header length, a JSON header, raw little-endian tensors.
 *
 * Read a tensor at a time, straight into its own array, so that a file is never in memory twice; float32, float16 and
 * bfloat16 become float32. Written as float32. The header is not believed: every tensor must lie inside the file, of
 * the size that its type and shape ask for, and none over another.
 */
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { InputError } from '../support/errors.js';
import { writeWith } from './files.js';
import { bfloat16ToFloat32, float16ToFloat32 } from './half-floats.js';

export interface NamedArray {
  shape: number[];
  data: Float32Array;
}

/** Read when it is written, so that a large model is never in memory twice. */
export interface LazyArray {
  shape: number[];
  read(): Float32Array;
}

/** Where a tensor lies, for whoever reads it by itself. */
export interface TensorPlace {
  /** Of the open file. */
  descriptor: number;
  /** Bytes from the file's beginning. */
  offset: number;
  dtype: Dtype;
  shape: number[];
}

const BYTES = { F32: 4, F16: 2, BF16: 2 } as const;
type Dtype = keyof typeof BYTES;

interface Entry {
  dtype: Dtype;
  shape: number[];
  from: number;
  to: number;
}

/** The format's own limit: longer headers are not read. */
const LONGEST_HEADER = 100_000_000;

export class SafetensorsFile {
  private readonly file: number;
  private readonly entries: Map<string, Entry>;
  private readonly base: number;

  /** @throws InputError if the file is missing or its header lies; nothing is read or allocated for the tensors */
  constructor(readonly path: string) {
    this.file = open(path);
    try {
      const { header, base, end } = this.readHeader();
      this.base = base;
      this.entries = this.checkHeader(header, end - base);
    } catch (error) {
      closeSync(this.file);
      throw error;
    }
  }

  get names(): string[] {
    return [...this.entries.keys()];
  }

  /** Reads one tensor. @throws InputError if the file has none of the name */
  read(name: string): NamedArray {
    const entry = this.entry(name);
    const bytes = new Uint8Array(entry.to - entry.from);
    readFully(this.file, bytes, this.base + entry.from);
    return { shape: entry.shape, data: toFloats(bytes, entry.dtype) };
  }

  /** @throws InputError if the file has none of the name */
  place(name: string): TensorPlace {
    const { dtype, shape, from } = this.entry(name);
    return { descriptor: this.file, offset: this.base + from, dtype, shape };
  }

  close(): void {
    closeSync(this.file);
  }

  private entry(name: string): Entry {
    const entry = this.entries.get(name);
    if (!entry) throw this.fail(`no tensor ${name}`);
    return entry;
  }

  private readHeader(): { header: unknown; base: number; end: number } {
    const end = fstatSync(this.file).size;
    if (end < 8) throw this.fail(`expected at least 8 bytes, got ${end}`);
    const first = Buffer.alloc(8);
    readFully(this.file, first, 0);
    const length = Number(first.readBigUInt64LE(0));
    if (length > end - 8 || length > LONGEST_HEADER) throw this.fail(`header of ${length} bytes in a file of ${end}`);
    const text = Buffer.alloc(length);
    readFully(this.file, text, 8);
    try {
      return { header: JSON.parse(text.toString('utf8')), base: 8 + length, end };
    } catch {
      throw this.fail('its header is no JSON');
    }
  }

  /** @param size bytes of all tensors together */
  private checkHeader(header: unknown, size: number): Map<string, Entry> {
    if (typeof header !== 'object' || header === null || Array.isArray(header))
      throw this.fail('its header is no object');
    const entries = new Map<string, Entry>();
    for (const [name, raw] of Object.entries(header as Record<string, unknown>)) {
      if (name !== '__metadata__') entries.set(name, this.checkEntry(name, raw, size));
    }
    const inOrder = [...entries].sort(([, a], [, b]) => a.from - b.from);
    inOrder.forEach(([name, { from }], i) => {
      const before = inOrder[i - 1];
      if (before && before[1].to > from) throw this.fail(`${before[0]} and ${name} lie over one another`);
    });
    return entries;
  }

  private checkEntry(name: string, raw: unknown, size: number): Entry {
    const {
      dtype,
      shape,
      data_offsets: offsets,
    } = (raw ?? {}) as { dtype?: string; shape?: unknown; data_offsets?: unknown };
    const whole = (value: unknown): value is number[] =>
      Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && (n as number) >= 0);
    if (typeof dtype !== 'string' || !Object.hasOwn(BYTES, dtype)) {
      throw this.fail(`${name} is ${String(dtype)}, expected ${Object.keys(BYTES).join(', ')}`);
    }
    if (!whole(shape) || !whole(offsets) || offsets.length !== 2) throw this.fail(`${name} has no shape or no place`);
    const [from, to] = offsets as [number, number];
    const bytes = shape.reduce((product, n) => product * n, BYTES[dtype as Dtype]);
    if (to - from !== bytes || to > size) {
      throw this.fail(`${name}, ${dtype} of [${shape.join(', ')}], cannot lie at bytes ${from} to ${to} of ${size}`);
    }
    return { dtype: dtype as Dtype, shape, from, to };
  }

  private fail(what: string): InputError {
    return new InputError(`${this.path}: ${what}; the file is damaged, fetch or write it anew`);
  }
}

/** Every tensor of a file. @throws InputError if the file is missing or its header lies */
export function readSafetensors(path: string): Map<string, NamedArray> {
  const file = new SafetensorsFile(path);
  try {
    return new Map(file.names.map((name) => [name, file.read(name)]));
  } finally {
    file.close();
  }
}

/** Where the tensors begin is a multiple of it, so that they can be mapped. */
const ALIGNMENT = 64;

/** Writes float32 tensors in the order of the map, one after the other, and renames the file when it is whole. */
export function writeSafetensors(path: string, arrays: ReadonlyMap<string, NamedArray | LazyArray>): void {
  let offset = 0;
  const entries = [...arrays].map(([name, { shape }]): [string, unknown] => {
    const from = offset;
    offset += shape.reduce((product, n) => product * n, BYTES.F32);
    return [name, { dtype: 'F32', shape, data_offsets: [from, offset] }];
  });
  // fromEntries defines each name, `__proto__` too; an assignment would not
  const text = JSON.stringify(Object.fromEntries([['__metadata__', { format: 'pt' }], ...entries]));
  const end = 8 + Buffer.byteLength(text);
  const json = Buffer.from(text + ' '.repeat(Math.ceil(end / ALIGNMENT) * ALIGNMENT - end));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeWith(path, (temporary) => {
    const file = openSync(temporary, 'w');
    try {
      for (const part of [length, json]) writeFully(file, part);
      for (const array of arrays.values()) writeFully(file, bytesOf('read' in array ? array.read() : array.data));
    } finally {
      closeSync(file);
    }
  });
}

function open(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw new InputError(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code}); check the path`);
  }
}

function toFloats(bytes: Uint8Array, dtype: Dtype): Float32Array {
  switch (dtype) {
    case 'F32':
      return new Float32Array(bytes.buffer);
    case 'F16':
      return float16ToFloat32(new Uint16Array(bytes.buffer));
    case 'BF16':
      return bfloat16ToFloat32(new Uint16Array(bytes.buffer));
    default:
      throw new Error(`safetensors: unknown type ${dtype satisfies never}`);
  }
}

function bytesOf(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** A single read or write moves 2 GB at most. */
const AT_ONCE = 1 << 30;

function readFully(file: number, into: Uint8Array, position: number): void {
  for (let at = 0; at < into.length;) {
    const got = readSync(file, into, at, Math.min(AT_ONCE, into.length - at), position + at);
    if (got === 0) throw new InputError('safetensors: the file became shorter while it was read');
    at += got;
  }
}

function writeFully(file: number, from: Uint8Array): void {
  for (let at = 0; at < from.length;) at += writeSync(file, from, at, Math.min(AT_ONCE, from.length - at));
}
