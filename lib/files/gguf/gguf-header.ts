/**
 * The header of a GGUF file, versions 2 and 3 (github.com/ggml-org/ggml, `docs/gguf.md`): metadata by key, then name,
 * shape, format and place of every tensor. Departures:
 *   1. it is read synchronously and not trusted: every count must fit the file, every tensor lie inside it, and none
 *      over another;
 *   2. shapes are written here as everywhere in the kit, the last dimension running fastest (there: the first);
 *   3. files of big-endian machines are refused.
 */
import type { ByteCursor } from './byte-cursor.js';
import { GGUF_TYPES, OTHER_TYPES } from './gguf-types.js';

/** A value of the metadata. */
export type GgufValue = number | boolean | string | GgufValue[];

/** Where a tensor lies, and as what. */
export interface GgufTensor {
  /** Sizes of its dimensions, the last running fastest. */
  shape: number[];
  /** ggml's number of the format. */
  type: number;
  /** Bytes from the file's beginning. */
  offset: number;
}

/** What a file says of itself. */
export interface GgufHeader {
  metadata: Map<string, GgufValue>;
  tensors: Map<string, GgufTensor>;
}

/** What a header's reader says of a damaged file. */
type Fail = (what: string) => Error;

/** Kinds of metadata by their number; 8 is a text, 9 a list. */
const NUMBERS: Readonly<Record<number, (cursor: ByteCursor) => number | boolean>> = {
  0: (cursor) => cursor.take(1).readUInt8(),
  1: (cursor) => cursor.take(1).readInt8(),
  2: (cursor) => cursor.take(2).readUInt16LE(),
  3: (cursor) => cursor.take(2).readInt16LE(),
  4: (cursor) => cursor.take(4).readUInt32LE(),
  5: (cursor) => cursor.take(4).readInt32LE(),
  6: (cursor) => cursor.take(4).readFloatLE(),
  7: (cursor) => cursor.take(1).readUInt8() !== 0,
  10: (cursor) => Number(cursor.take(8).readBigUInt64LE()),
  11: (cursor) => Number(cursor.take(8).readBigInt64LE()),
  12: (cursor) => cursor.take(8).readDoubleLE(),
};
const TEXT = 8;
const LIST = 9;

/** Dimensions of a tensor at most, ggml's own limit. */
const DIMENSIONS = 4;

/** @throws what `fail` makes, for a file that is none or damaged */
export function readGgufHeader(cursor: ByteCursor, fail: Fail): GgufHeader {
  if (cursor.take(4).toString('latin1') !== 'GGUF') throw fail('it does not begin with GGUF');
  const version = cursor.take(4).readUInt32LE();
  if (version !== 2 && version !== 3) throw fail(`expected version 2 or 3, little-endian, got ${version}`);
  const [tensorCount, valueCount] = [cursor.uint64(), cursor.uint64()];
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < valueCount; i++) {
    const key = cursor.text();
    if (metadata.has(key)) throw fail(`${key} is there twice`);
    metadata.set(key, readValue(cursor, cursor.take(4).readUInt32LE(), fail, 0));
  }
  const tensors = new Map<string, GgufTensor>();
  for (let i = 0; i < tensorCount; i++) {
    const name = cursor.text();
    if (tensors.has(name)) throw fail(`${name} is there twice`);
    tensors.set(name, readTensorInfo(cursor, name, fail));
  }
  placeTensors(tensors, alignmentOf(metadata, fail), cursor, fail);
  return { metadata, tensors };
}

function readValue(cursor: ByteCursor, kind: number, fail: Fail, depth: number): GgufValue {
  if (kind === TEXT) return cursor.text();
  if (kind !== LIST) {
    const read = NUMBERS[kind];
    if (!read) throw fail(`a value of unknown kind ${kind}`);
    return read(cursor);
  }
  const [of, count] = [cursor.take(4).readUInt32LE(), cursor.uint64()];
  if (depth > 3) throw fail('lists within lists');
  if (count > cursor.size - cursor.position) throw fail(`a list of ${count} values`);
  const values: GgufValue[] = [];
  for (let i = 0; i < count; i++) values.push(readValue(cursor, of, fail, depth + 1));
  return values;
}

function readTensorInfo(cursor: ByteCursor, name: string, fail: Fail): GgufTensor {
  const dimensions = cursor.take(4).readUInt32LE();
  if (dimensions > DIMENSIONS) throw fail(`${name} has ${dimensions} dimensions`);
  const shape = Array.from({ length: dimensions }, () => cursor.uint64()).reverse();
  return { shape, type: cursor.take(4).readUInt32LE(), offset: cursor.uint64() };
}

function alignmentOf(metadata: GgufHeader['metadata'], fail: Fail): number {
  const alignment = metadata.get('general.alignment') ?? 32;
  if (typeof alignment === 'number' && Number.isInteger(alignment) && alignment > 0) return alignment;
  throw fail(`general.alignment cannot be ${JSON.stringify(alignment)}`);
}

/** Offsets from the file's beginning, in place; those of the file count from where the header's padding ends. */
function placeTensors(
  tensors: GgufHeader['tensors'],
  alignment: number,
  { position, size }: ByteCursor,
  fail: Fail,
): void {
  const base = Math.ceil(position / alignment) * alignment;
  for (const tensor of tensors.values()) tensor.offset += base;
  let end = base;
  let before = '';
  for (const [name, tensor] of [...tensors].sort(([, a], [, b]) => a.offset - b.offset)) {
    const bytes = bytesOf(tensor);
    if (bytes === undefined) continue; // of a format that is not read, whoever asks for it is told
    if (!Number.isInteger(bytes)) throw fail(`${name}: rows of ${tensor.shape.at(-1)} are no whole blocks of ${typeName(tensor)}`); // prettier-ignore
    if (tensor.offset < end) throw fail(`${before || 'the header'} and ${name} lie over one another`);
    end = tensor.offset + bytes;
    if (!(end <= size)) throw fail(`${name} ends at byte ${end} of ${size}`);
    before = name;
  }
}

/** Bytes of a tensor; undefined for a format that is not read, no integer where its rows are no whole blocks. */
export function bytesOf({ shape, type }: GgufTensor): number | undefined {
  const format = GGUF_TYPES.get(type);
  if (!format) return undefined;
  const row = (shape.at(-1) ?? 1) / format.numbers;
  return row * shape.slice(0, -1).reduce((product, n) => product * n, 1) * format.bytes;
}

/** ggml's name of a tensor's format. */
export function typeName({ type }: GgufTensor): string {
  return GGUF_TYPES.get(type)?.name ?? OTHER_TYPES[type] ?? `of unknown format ${type}`;
}
