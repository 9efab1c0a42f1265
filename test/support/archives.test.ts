/** Files by hand: 64-bit ZIP directories, safetensors headers in any order, places of tensors. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { readSafetensors, SafetensorsFile } from '../../lib/files/safetensors.js';
import { bytesSource } from '../../lib/files/npy-source.js';
import { isZip, readZip, type ZipMember, zipPieces } from '../../lib/files/zip.js';

const contentOf = (member: ZipMember): Uint8Array => {
  const source = member.open();
  const bytes = new Uint8Array(source.size);
  source.read(bytes, 0);
  return bytes;
};

const folder = mkdtempSync(join(tmpdir(), 'sidlab-archives-'));
const FULL = 0xffffffff;

interface Archive {
  /** Which of size, packed size and place stand in the extra field, in 64 bits. */
  wide?: { size?: boolean; packed?: boolean; at?: boolean };
  /** Which of count and place of the directory stand in the 64-bit record. */
  end?: { count?: boolean; at?: boolean };
  method?: number;
}

/** PKWARE's APPNOTE 6.3.10, sections 4.3 and 4.5.3: one member `a`, after some bytes of something else. */
function archive(content: Buffer, { wide = {}, end = {}, method = 8 }: Archive): Buffer {
  const packed = method === 8 ? deflateRawSync(content) : content;
  const front = Buffer.from('front');
  const local = Buffer.alloc(30 + 1);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(1, 26);
  local.write('a', 30);
  const fields: [boolean | undefined, number][] = [
    [wide.size, content.length],
    [wide.packed, packed.length],
    [wide.at, front.length],
  ];
  const other = Buffer.from([9, 0, 2, 0, 7, 7]); // a field of another kind, which is passed over
  const values = fields.filter(([is]) => is).map(([, value]) => value);
  const extra = Buffer.alloc(4 + 8 * values.length);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(8 * values.length, 2);
  values.forEach((value, i) => extra.writeBigUInt64LE(BigInt(value), 4 + 8 * i));
  const extras = Buffer.concat([other, extra]);
  const central = Buffer.alloc(46 + 1);
  central.writeUInt32LE(0x02014b50, 0);
  central.writeUInt16LE(method, 10);
  central.writeUInt32LE(crc32(content), 16);
  [fields[1]!, fields[0]!].forEach(([is, value], i) => central.writeUInt32LE(is ? FULL : value, 20 + 4 * i));
  central.writeUInt16LE(1, 28);
  central.writeUInt16LE(extras.length, 30);
  central.writeUInt32LE(wide.at ? FULL : front.length, 42);
  central.write('a', 46);
  const body = Buffer.concat([front, local, packed]);
  const directory = Buffer.concat([central, extras]);
  const record = Buffer.alloc(56);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(1n, 32);
  record.writeBigUInt64LE(BigInt(directory.length), 40);
  record.writeBigUInt64LE(BigInt(body.length), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(body.length + directory.length), 8);
  const last = Buffer.alloc(22);
  last.writeUInt32LE(0x06054b50, 0);
  last.writeUInt16LE(end.count ? 0xffff : 1, 10);
  last.writeUInt32LE(directory.length, 12);
  last.writeUInt32LE(end.at ? FULL : body.length, 16);
  const wideEnd = end.count || end.at ? [record, locator] : [];
  return Buffer.concat([body, directory, ...wideEnd, last]);
}

const content = Buffer.from('the same words, the same words, the same words');

test.each<[string, Archive]>([
  ['32 bits throughout', {}],
  ['stored', { method: 0 }],
  ['a size of 64 bits', { wide: { size: true } }],
  ['a packed size of 64 bits', { wide: { packed: true } }],
  ['a place of 64 bits', { wide: { at: true } }],
  ['sizes and place of 64 bits', { wide: { size: true, packed: true, at: true } }],
  ['a directory counted in 64 bits', { end: { count: true } }],
  ['a directory placed in 64 bits', { end: { at: true } }],
  ['everything in 64 bits', { end: { count: true, at: true }, wide: { size: true, packed: true, at: true } }],
])('a ZIP archive of %s', (_, options) => {
  const members = readZip('x.zip', bytesSource(archive(content, options)));
  expect(members.map(({ name }) => name)).toEqual(['a']);
  expect(Buffer.from(contentOf(members[0]!)).equals(content)).toBe(true);
});

test('an archive without its 64-bit record is no whole one', () => {
  const whole = archive(content, { end: { at: true } });
  const without = Buffer.concat([whole.subarray(0, whole.length - 98), whole.subarray(-22)]);
  expect(() => readZip('x.zip', bytesSource(without))).toThrow(
    'x.zip: not a whole .npz file (no 64-bit directory); save it with numpy.savez',
  );
});

test('what is written is read; a ZIP is recognized by its first two bytes', () => {
  const members = [
    { name: 'a.npy', pieces: () => [content] },
    { name: 'ü/b.npy', pieces: () => [new Uint8Array(0)] },
  ];
  const read = readZip('x.zip', bytesSource(Buffer.concat([...zipPieces('x.zip', members)]))).map((member) => ({
    name: member.name,
    bytes: contentOf(member),
  }));
  expect(read.map(({ name, bytes }) => [name, Buffer.from(bytes).toString()])).toEqual([
    ['a.npy', content.toString()],
    ['ü/b.npy', ''],
  ]);
  expect(['PK', 'PX', 'XK'].map((text) => isZip(bytesSource(Buffer.from(text))))).toEqual([true, false, false]);
});

function safetensors(header: unknown, data: Uint8Array): string {
  const json = Buffer.from(JSON.stringify(header));
  const first = Buffer.alloc(8);
  first.writeBigUInt64LE(BigInt(json.length));
  const path = join(folder, 'x.safetensors');
  writeFileSync(path, Buffer.concat([first, json, data]));
  return path;
}

test('safetensors: entries in another order than their bytes, and where each of them lies', () => {
  const data = Buffer.from(Float32Array.of(1, 2, 3, 4).buffer);
  const path = safetensors(
    {
      last: { dtype: 'F32', shape: [1], data_offsets: [12, 16] },
      first: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
      middle: { dtype: 'F32', shape: [1], data_offsets: [8, 12] },
    },
    data,
  );
  const read = [...readSafetensors(path)].map(([name, tensor]) => [name, ...tensor.data]);
  expect(read).toEqual([
    ['last', 4],
    ['first', 1, 2],
    ['middle', 3],
  ]);
  const file = new SafetensorsFile(path);
  const bytes = readFileSync(path);
  expect(['first', 'middle', 'last'].map((name) => bytes.readFloatLE(file.place(name).offset))).toEqual([1, 3, 4]);
  expect(file.place('first')).toMatchObject({ dtype: 'F32', shape: [2] });
  file.close();
});

test('safetensors: an entry that is nothing is damage, said in a line', () => {
  expect(() => readSafetensors(safetensors({ x: null }, new Uint8Array(4)))).toThrow(
    'x has no type; the file is damaged',
  );
});
