/**
 * Scalars as TensorBoard's event files hold them: TFRecord framing around the protocol buffer `Event` (TensorFlow's
 * `core/util/event.proto`), as far as scalars go.
 *
 * A record is the length (8 bytes), its checksum, the bytes, their checksum; the checksum is CRC-32C (Castagnoli),
 * turned and shifted so that records may hold records. All numbers little-endian.
 */

/** What readers look for in the first event. */
const FILE_VERSION = 'brain.Event:2';

/** The event that opens a file. @param wallTime seconds since 1970 */
export function versionEvent(wallTime: number): Uint8Array {
  return Buffer.concat([double(1, wallTime), bytes(3, Buffer.from(FILE_VERSION))]);
}

/** One event with all values of a step. @param wallTime seconds since 1970 @param scalars by tag; stored as float32 */
export function scalarEvent(wallTime: number, step: number, scalars: Readonly<Record<string, number>>): Uint8Array {
  const values = Object.entries(scalars).map(([tag, value]) =>
    bytes(1, Buffer.concat([bytes(1, Buffer.from(tag)), float(2, value)])),
  );
  const stepField = step === 0 ? [] : [varint((2 << 3) | 0), varint(step)]; // proto3 leaves zeros out
  return Buffer.concat([double(1, wallTime), ...stepField, bytes(5, Buffer.concat(values))]);
}

/** Frames an event for its file. */
export function tfRecord(data: Uint8Array): Uint8Array {
  const record = Buffer.alloc(16 + data.length);
  record.writeBigUInt64LE(BigInt(data.length), 0);
  record.writeUInt32LE(maskedCrc(record.subarray(0, 8)), 8);
  record.set(data, 12);
  record.writeUInt32LE(maskedCrc(data), 12 + data.length);
  return record;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

/** CRC-32C. @example crc32c(Buffer.from('123456789')) // 0xe3069283 */
export function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = TABLE[(crc ^ byte) & 255]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function maskedCrc(data: Uint8Array): number {
  const crc = crc32c(data);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** @param value a whole number that is not negative, below 2^53 */
function varint(value: number): Buffer {
  const out: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) out.push((value % 128) + 128);
  return Buffer.from([...out, value]);
}

function double(field: number, value: number): Buffer {
  const data = Buffer.alloc(9, (field << 3) | 1);
  data.writeDoubleLE(value, 1);
  return data;
}

function float(field: number, value: number): Buffer {
  const data = Buffer.alloc(5, (field << 3) | 5);
  data.writeFloatLE(value, 1);
  return data;
}

function bytes(field: number, data: Uint8Array): Buffer {
  return Buffer.concat([varint((field << 3) | 2), varint(data.length), data]);
}
