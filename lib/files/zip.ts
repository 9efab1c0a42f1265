/**
 * As much of ZIP as NumPy's archives need: members stored or deflated, sizes of 32 and 64 bits, checksums verified.
 *
 * Follows PKWARE's APPNOTE 6.3: the central directory at the end is what counts. Departures: 1. no encryption, no
 * other compression, no split archives; 2. written: stored members below 4 GB, without times.
 */
import { crc32, inflateRawSync } from 'node:zlib';
import { InputError } from '../support/errors.js';

const [LOCAL, CENTRAL, END, END64, LOCATOR] = [0x04034b50, 0x02014b50, 0x06054b50, 0x06064b50, 0x07064b50];
/** Deflate cannot shrink by more: a member that claims to is damaged. */
const MOST = 1032;
const FULL = 0xffffffff;

export interface ZipMember {
  name: string;
  /** Inflates it. @throws InputError if it is damaged */
  read(): Uint8Array;
}

export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b;
}

/** @throws InputError for an archive that is cut short or damaged, or a compression that is not known here */
export function readZip(path: string, bytes: Uint8Array): ZipMember[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const { count, at } = directoryOf(buffer);
    let next = at;
    return Array.from({ length: Math.min(count, buffer.length / 46) }, () => {
      const { end, ...entry } = entryAt(buffer, next);
      next = end;
      return { name: entry.name, read: () => guarded(path, () => contentOf(buffer, entry)) };
    });
  } catch (error) {
    throw toInputError(path, error);
  }
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

/** Reading beyond the buffer throws a RangeError, which means that the archive is damaged. */
function guarded<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw toInputError(path, error);
  }
}

function toInputError(path: string, error: unknown): InputError {
  const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
  return new InputError(`${path}: not a whole .npz file (${reason}); save it with numpy.savez`);
}

function directoryOf(buffer: Buffer): { count: number; at: number } {
  const most = Math.max(0, buffer.length - 22 - 0xffff);
  for (let at = buffer.length - 22; at >= most; at--) {
    if (buffer.readUInt32LE(at) !== END) continue;
    const [count, start] = [buffer.readUInt16LE(at + 10), buffer.readUInt32LE(at + 16)];
    if (count !== 0xffff && start !== FULL) return { count, at: start };
    if (buffer.readUInt32LE(at - 20) !== LOCATOR) throw new Error('no 64-bit directory');
    const wide = Number(buffer.readBigUInt64LE(at - 12));
    if (buffer.readUInt32LE(wide) !== END64) throw new Error('no 64-bit directory');
    return { count: Number(buffer.readBigUInt64LE(wide + 32)), at: Number(buffer.readBigUInt64LE(wide + 48)) };
  }
  throw new Error('no directory at its end');
}

function entryAt(buffer: Buffer, at: number): Entry & { end: number } {
  if (buffer.readUInt32LE(at) !== CENTRAL) throw new Error('its directory is damaged');
  const [name, extra, comment] = [28, 30, 32].map((field) => buffer.readUInt16LE(at + field)) as [
    number,
    number,
    number,
  ];
  if (buffer.readUInt16LE(at + 8) & 1) throw new Error('it is encrypted');
  const extras = buffer.subarray(at + 46 + name, at + 46 + name + extra);
  const [size, packed, local] = wideSizes(
    extras,
    [24, 20, 42].map((field) => buffer.readUInt32LE(at + field)),
  );
  return {
    name: buffer.toString('utf8', at + 46, at + 46 + name),
    method: buffer.readUInt16LE(at + 10),
    crc: buffer.readUInt32LE(at + 16),
    ...{ packed: packed!, size: size!, at: local! },
    end: at + 46 + name + extra + comment,
  };
}

/** Sizes that do not fit 32 bits stand in the extra field 1, in order. */
function wideSizes(extras: Buffer, sizes: number[]): number[] {
  if (!sizes.includes(FULL)) return sizes;
  for (let at = 0; at + 4 <= extras.length; at += 4 + extras.readUInt16LE(at + 2)) {
    if (extras.readUInt16LE(at) !== 1) continue;
    let field = at + 4;
    return sizes.map((size) => (size === FULL ? Number(extras.readBigUInt64LE((field += 8) - 8)) : size));
  }
  throw new Error('a 64-bit size is missing');
}

function contentOf(buffer: Buffer, { name, method, crc, packed, size, at }: Entry): Uint8Array {
  if (buffer.readUInt32LE(at) !== LOCAL) throw new Error(`${name} is not where its directory says`);
  const from = at + 30 + buffer.readUInt16LE(at + 26) + buffer.readUInt16LE(at + 28);
  if (from + packed > buffer.length) throw new Error(`${name} is cut short`);
  const content = buffer.subarray(from, from + packed);
  if (method !== 0 && method !== 8) throw new Error(`${name} is compressed by method ${method}`);
  if (size > MOST * packed + 64 || (method === 0 && size !== packed)) throw new Error(`${name} cannot be that large`);
  const whole = method === 0 ? content : inflateRawSync(content, { maxOutputLength: Math.max(1, size) });
  if (whole.length !== size || crc32(whole) !== crc) throw new Error(`${name} is damaged`);
  return whole;
}

/** @throws InputError for 4 GB and more */
export function writeZip(path: string, members: readonly { name: string; bytes: Uint8Array }[]): Buffer {
  const [parts, directory]: [Uint8Array[], Uint8Array[]] = [[], []];
  let at = 0;
  for (const { name, bytes } of members) {
    const title = Buffer.from(name);
    const fields = Buffer.alloc(26); // what both headers share: version 2.0, names in UTF-8, stored, 1980-01-01
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(0x800, 2);
    fields.writeUInt16LE(0x21, 8);
    fields.writeUInt32LE(crc32(bytes), 10);
    if (at + bytes.length + title.length + 30 >= FULL)
      throw new InputError(`${path}: expected less than 4 GB; write .npy`);
    fields.writeUInt32LE(bytes.length, 14);
    fields.writeUInt32LE(bytes.length, 18);
    fields.writeUInt16LE(title.length, 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(at, 10);
    directory.push(signed(CENTRAL, Buffer.from([20, 3])), fields, tail, title);
    parts.push(signed(LOCAL), fields, title, bytes);
    at += 30 + title.length + bytes.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(members.length, 4);
  end.writeUInt16LE(members.length, 6);
  end.writeUInt32LE(list.length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...parts, list, signed(END), end]);
}

function signed(signature: number, rest: Uint8Array = new Uint8Array()): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(signature);
  return Buffer.concat([bytes, rest]);
}
