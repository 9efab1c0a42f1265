/**
 * As much of ZIP as NumPy's archives need: members stored or deflated, sizes of 32 and 64 bits, checksums verified.
 *
 * Follows PKWARE's APPNOTE 6.3: the central directory at the end is what counts. Departures: 1. no encryption, no
 * other compression, no split archives; 2. written: stored members below 4 GB, without times.
 */
import { crc32, inflateRawSync } from 'node:zlib';
import { InputError } from '../support/errors.js';
import { type ByteSource, bytesSource, partOf } from './npy-source.js';

const [LOCAL, CENTRAL, END, END64, LOCATOR] = [0x04034b50, 0x02014b50, 0x06054b50, 0x06064b50, 0x07064b50];
/** Bytes of a local header before the name, of the end record, and of the end record's comment at most. */
const [LOCAL_BYTES, END_BYTES, COMMENT] = [30, 22, 0xffff];
/** Deflate cannot shrink by more: a member that claims to is damaged. */
const MOST = 1032;
const FULL = 0xffffffff;
/** Bytes of a checksum's piece. */
const PIECE = 1 << 24;

/** A file of an archive. */
export interface ZipMember {
  /** Path in the archive. */
  name: string;
  /** Its content, verified by its checksum. @throws InputError if it is damaged */
  open(): ByteSource;
}

/** Whether the first two bytes are those of an archive. */
export function isZip(source: ByteSource): boolean {
  if (source.size < 2) return false;
  const magic = bytesAt(source, 0, 2);
  return magic[0] === 0x50 && magic[1] === 0x4b;
}

/** @throws InputError for an archive that is truncated or damaged, or a compression that is not known here */
export function readZip(path: string, source: ByteSource): ZipMember[] {
  return guarded(path, () => {
    const { count, at, size } = directoryOf(source);
    const directory = bytesAt(source, at, Math.min(size, source.size));
    let next = 0;
    return Array.from({ length: Math.min(count, directory.length / 46) }, () => {
      const { end, ...entry } = entryAt(directory, next);
      next = end;
      return { name: entry.name, open: () => guarded(path, () => contentOf(source, entry)) };
    });
  });
}

interface Entry {
  name: string;
  method: number;
  crc: number;
  packed: number;
  size: number;
  /** Of its local header. */
  at: number;
}

/** Reading beyond the bytes throws a RangeError, which means that the archive is damaged. */
function guarded<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof InputError) throw error;
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new InputError(`${path}: not a whole .npz file (${reason}); save it with numpy.savez`);
  }
}

function bytesAt(source: ByteSource, at: number, size: number): Buffer {
  const part = partOf(source, at, size); // checked before anything is allocated
  const bytes = Buffer.alloc(size);
  part.read(bytes, 0);
  return bytes;
}

/** Where the central directory lies, and how many members it names. */
function directoryOf(source: ByteSource): { count: number; at: number; size: number } {
  const first = Math.max(0, source.size - END_BYTES - COMMENT);
  const tail = bytesAt(source, first, source.size - first);
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END) continue;
    const count = tail.readUInt16LE(at + 10);
    const [size, start] = [tail.readUInt32LE(at + 12), tail.readUInt32LE(at + 16)];
    if (count !== 0xffff && size !== FULL && start !== FULL) return { count, at: start, size };
    const locator = bytesAt(source, first + at - 20, 20);
    if (locator.readUInt32LE(0) !== LOCATOR) throw new Error('no 64-bit directory');
    const wide = bytesAt(source, wholeNumber(locator, 8), 56);
    if (wide.readUInt32LE(0) !== END64) throw new Error('no 64-bit directory');
    return { count: wholeNumber(wide, 32), size: wholeNumber(wide, 40), at: wholeNumber(wide, 48) };
  }
  throw new Error('no directory at its end');
}

function wholeNumber(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}

function entryAt(directory: Buffer, at: number): Entry & { end: number } {
  if (directory.readUInt32LE(at) !== CENTRAL) throw new Error('its directory is damaged');
  const [name, extra, comment] = [28, 30, 32].map((field) => directory.readUInt16LE(at + field)) as [
    number,
    number,
    number,
  ];
  if (directory.readUInt16LE(at + 8) & 1) throw new Error('it is encrypted');
  const extras = directory.subarray(at + 46 + name, at + 46 + name + extra);
  const [size, packed, local] = wideSizes(
    extras,
    [24, 20, 42].map((field) => directory.readUInt32LE(at + field)),
  );
  return {
    name: directory.toString('utf8', at + 46, at + 46 + name),
    method: directory.readUInt16LE(at + 10),
    crc: directory.readUInt32LE(at + 16),
    ...{ packed: packed!, size: size!, at: local! },
    end: at + 46 + name + extra + comment,
  };
}

/** Sizes that do not fit 32 bits are in the extra field 1, in order. */
function wideSizes(extras: Buffer, sizes: number[]): number[] {
  if (!sizes.includes(FULL)) return sizes;
  for (let at = 0; at + 4 <= extras.length; at += 4 + extras.readUInt16LE(at + 2)) {
    if (extras.readUInt16LE(at) !== 1) continue;
    let field = at + 4;
    return sizes.map((size) => (size === FULL ? wholeNumber(extras, (field += 8) - 8) : size));
  }
  throw new Error('a 64-bit size is missing');
}

function contentOf(source: ByteSource, { name, method, crc, packed, size, at }: Entry): ByteSource {
  const header = bytesAt(source, at, LOCAL_BYTES);
  if (header.readUInt32LE(0) !== LOCAL) throw new Error(`${name} is not where its directory says`);
  const from = at + LOCAL_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (from + packed > source.size) throw new Error(`${name} is truncated`);
  if (method !== 0 && method !== 8) throw new Error(`${name} is compressed by method ${method}`);
  if (size > MOST * packed + 64 || (method === 0 && size !== packed)) throw new Error(`${name} cannot be that large`);
  const content = method === 0 ? partOf(source, from, packed) : inflated(bytesAt(source, from, packed), size);
  if (content.size !== size || checksum(content) !== crc) throw new Error(`${name} is damaged`);
  return content;
}

function inflated(packed: Buffer, size: number): ByteSource {
  return bytesSource(inflateRawSync(packed, { maxOutputLength: Math.max(1, size) }));
}

function checksum(content: ByteSource): number {
  const piece = new Uint8Array(Math.min(PIECE, content.size));
  let crc = 0;
  for (let at = 0; at < content.size; at += PIECE) {
    const bytes = piece.subarray(0, Math.min(PIECE, content.size - at));
    content.read(bytes, at);
    crc = crc32(bytes, crc);
  }
  return crc;
}

/** A member to write. */
export interface ZipInput {
  /** Path in the archive. */
  name: string;
  /** Its bytes, each time from the beginning. */
  pieces(): Iterable<Uint8Array>;
}

/** The bytes of an archive of stored members, piece by piece. @throws InputError for 4 GB and more */
export function* zipPieces(path: string, members: readonly ZipInput[]): Iterable<Uint8Array> {
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const { name, pieces } of members) {
    let [size, crc] = [0, 0];
    for (const piece of pieces()) [size, crc] = [size + piece.length, crc32(piece, crc)];
    const title = Buffer.from(name);
    if (at + size + title.length + LOCAL_BYTES >= FULL)
      throw new InputError(`${path}: expected less than 4 GB; write .npy`);
    const fields = sharedFields(size, crc, title.length);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(at, 10);
    directory.push(signed(CENTRAL, Buffer.from([20, 3])), fields, tail, title);
    yield* [signed(LOCAL), fields, title];
    yield* pieces();
    at += LOCAL_BYTES + title.length + size;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(members.length, 4);
  end.writeUInt16LE(members.length, 6);
  end.writeUInt32LE(list.length, 8);
  end.writeUInt32LE(at, 12);
  yield* [list, signed(END), end];
}

/** What both headers of a member share: version 2.0, names in UTF-8, stored, 1980-01-01. */
function sharedFields(size: number, crc: number, name: number): Buffer {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20, 0);
  fields.writeUInt16LE(0x800, 2);
  fields.writeUInt16LE(0x21, 8);
  fields.writeUInt32LE(crc, 10);
  fields.writeUInt32LE(size, 14);
  fields.writeUInt32LE(size, 18);
  fields.writeUInt16LE(name, 22);
  return fields;
}

function signed(signature: number, rest: Uint8Array = new Uint8Array()): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(signature);
  return Buffer.concat([bytes, rest]);
}
