/** What tells one set of vectors from another in a training run's configuration. */
import { createHash } from 'node:crypto';
import type { Vectors } from '../../files/npy.js';

/** Bytes that are turned into text at once: base64 makes four letters of three bytes, and a string has a limit. */
const PIECE = 3 << 20;

/**
 * Sizes, and the first 16 digits of the SHA-256 of the numbers' bytes in base64.
 * @example '3686 x 384 0123456789abcdef'
 */
export function fingerprint({ rows, width, data }: Vectors): string {
  const hash = createHash('sha256');
  for (let at = 0; at < data.byteLength; at += PIECE) {
    const length = Math.min(PIECE, data.byteLength - at);
    hash.update(Buffer.from(data.buffer, data.byteOffset + at, length).toString('base64'));
  }
  return `${rows} x ${width} ${hash.digest('hex').slice(0, 16)}`;
}
