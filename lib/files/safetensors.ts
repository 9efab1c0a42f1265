/**
 * The safetensors format: eight bytes of header length, a JSON header, raw little-endian tensors.
 *
 * Read a tensor at a time, straight into its own array, so that a file is never in memory twice; float32, float16 and
 * bfloat16 become float32. Written as float32 or bfloat16. A file may hold tensors of any type; asking for one of another type is an
 * error. The header is not trusted: every tensor must lie inside the file, of the size that its type and shape ask for,
 * and none over another.
 */
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { InputError } from '../support/errors.js';
import { writeWith } from './files.js';
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16 } from './half-floats.js';

/** A tensor in JavaScript's memory. */
export interface NamedArray {
  /** Sizes of its dimensions. */
  shape: number[];
  /** As many numbers as the shape asks for, the last dimension running fastest. */
  data: Float32Array;
}

/** Read when it is written, so that a large model is never in memory twice. */
export interface LazyArray {
  /** Sizes of its dimensions. */
  shape: number[];
  /** Called once, when the tensor is written. */
  read(): Float32Array;
}

/** Where a tensor lies, for whoever reads it by itself. */
export interface TensorPlace {
  /** Of the open file. */
  descriptor: number;
  /** Bytes from the file's beginning. */
  offset: number;
  /** As the header names it. */
  dtype: FloatDtype;
  /** Sizes of its dimensions. */
  shape: number[];
}

/** The types that are read. */
const FLOATS = ['F32', 'F16', 'BF16'] as const;
/** A floating-point type that tensors are stored in. */
export type FloatDtype = (typeof FLOATS)[number];

/** A type that tensors are written in. */
export type SavedDtype = Exclude<FloatDtype, 'F16'>;

/** Bits of a number of each type of the format; a type that is not among them is newer than this list. */
const BITS: Readonly<Record<string, number>> = {
  ...{ F4: 4, F6_E2M3: 6, F6_E3M2: 6, BOOL: 8, U8: 8, I8: 8, F8_E5M2: 8, F8_E4M3: 8, F8_E8M0: 8 },
  ...{ I16: 16, U16: 16, F16: 16, BF16: 16, I32: 32, U32: 32, F32: 32, I64: 64, U64: 64, F64: 64, C64: 64 },
};

interface Entry {
  dtype: string;
  shape: number[];
  from: number;
  to: number;
}

/** The format's own limit: longer headers are not read. */
const LONGEST_HEADER = 100_000_000;

/** A safetensors file that is open for reading, tensor by tensor. */
export class SafetensorsFile {
  private readonly file: number;
  private entries: Map<string, Entry>;
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

  /** Names of all tensors, those of types that are not read included. */
  get names(): string[] {
    return [...this.entries.keys()];
  }

  /** From here on every name begins with this. */
  prefixNames(prefix: string): void {
    this.entries = new Map([...this.entries].map(([name, entry]) => [prefix + name, entry]));
  }

  /** Type of a tensor, such as `F32` or `I64`. @throws InputError if the file has none of the name */
  dtype(name: string): string {
    return this.entry(name).dtype;
  }

  /** Reads one tensor. @throws InputError if the file has none of the name, or its type is not read */
  read(name: string): NamedArray {
    const { shape, from, to } = this.entry(name);
    const dtype = this.floatDtype(name);
    const bytes = new Uint8Array(to - from);
    this.fill(bytes, this.base + from);
    return { shape, data: toFloats(bytes, dtype) };
  }

  /** @throws InputError if the file has none of the name, or its type is not read */
  place(name: string): TensorPlace {
    const { shape, from } = this.entry(name);
    return { descriptor: this.file, offset: this.base + from, dtype: this.floatDtype(name), shape };
  }

  /** The bytes of a tensor, a few megabytes at a time. @throws InputError if the file has none of the name */
  *chunks(name: string): Generator<Uint8Array> {
    const { from, to } = this.entry(name);
    for (let position = from; position < to; position += CHUNK) {
      const bytes = new Uint8Array(Math.min(CHUNK, to - position));
      this.fill(bytes, this.base + position);
      yield bytes;
    }
  }

  /** Closes the file. */
  close(): void {
    closeSync(this.file);
  }

  private entry(name: string): Entry {
    const entry = this.entries.get(name);
    if (!entry) throw this.fail(`no tensor ${name}`);
    return entry;
  }

  private floatDtype(name: string): FloatDtype {
    const { dtype } = this.entry(name);
    const float = FLOATS.find((known) => known === dtype);
    if (float) return float;
    throw new InputError(`${this.path}: ${name} is ${dtype}, expected ${FLOATS.join(', ')}; convert it in Python`);
  }

  private readHeader(): { header: unknown; base: number; end: number } {
    const stat = fstatSync(this.file);
    if (stat.isDirectory()) throw new InputError(`${this.path}: expected a file, got a folder; check the path`);
    const end = stat.size;
    if (end < 8) throw this.fail(`expected at least 8 bytes, got ${end}`);
    const first = Buffer.alloc(8);
    this.fill(first, 0);
    const length = Number(first.readBigUInt64LE(0));
    if (length > end - 8 || length > LONGEST_HEADER) throw this.fail(`header of ${length} bytes in a file of ${end}`);
    const text = Buffer.alloc(length);
    this.fill(text, 8);
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
    if (typeof dtype !== 'string' || dtype === '') throw this.fail(`${name} has no type`);
    if (!whole(shape) || !whole(offsets) || offsets.length !== 2) throw this.fail(`${name} has no shape or no place`);
    const [from, to] = offsets as [number, number];
    const numbers = shape.reduce((product, n) => product * n, 1);
    const bytes = Object.hasOwn(BITS, dtype) ? Math.ceil((numbers * BITS[dtype]!) / 8) : to - from;
    if (to < from || to - from !== bytes || to > size) {
      throw this.fail(`${name}, ${dtype} of [${shape.join(', ')}], cannot lie at bytes ${from} to ${to} of ${size}`);
    }
    return { dtype, shape, from, to };
  }

  /** That it lost its end while it was open. */
  shortened(): InputError {
    return new InputError(`${this.path}: became shorter while it was read; write it again`);
  }

  private fill(into: Uint8Array, position: number): void {
    for (let at = 0; at < into.length;) {
      const got = readSync(this.file, into, at, Math.min(AT_ONCE, into.length - at), position + at);
      if (got === 0) throw this.shortened();
      at += got;
    }
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

/**
 * Writes tensors in the order of the map, one after the other, and renames the file when it is whole.
 * @param dtype in the file; bfloat16 rounds to the nearest, ties to even
 */
export function writeSafetensors(
  path: string,
  arrays: ReadonlyMap<string, NamedArray | LazyArray>,
  dtype: SavedDtype = 'F32',
): void {
  let offset = 0;
  const entries = [...arrays].map(([name, { shape }]): [string, unknown] => {
    const from = offset;
    offset += shape.reduce((product, n) => product * n, BITS[dtype]! / 8);
    return [name, { dtype, shape, data_offsets: [from, offset] }];
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
      for (const array of arrays.values()) {
        const data = 'read' in array ? array.read() : array.data;
        writeFully(file, bytesOf(dtype === 'BF16' ? float32ToBfloat16(data) : data));
      }
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

function toFloats(bytes: Uint8Array, dtype: FloatDtype): Float32Array {
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

function bytesOf(data: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Bytes that `chunks` reads at once. */
const CHUNK = 1 << 22;

/** A single read or write moves 2 GB at most. */
const AT_ONCE = 1 << 30;

function writeFully(file: number, from: Uint8Array): void {
  for (let at = 0; at < from.length;) at += writeSync(file, from, at, Math.min(AT_ONCE, from.length - at));
}
