/**
 * Stamps: a step is done when its key, written beside (inside) what it made, is the key of today.
 * A key is a hash of whatever decides the outcome. Deleting the product deletes its stamp.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** SHA-256 over texts and the bytes of files (`{ file }`); a missing file counts as empty. */
export function hashOf(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) {
    const bytes = typeof part === 'string' ? part : existsSync(part.file) ? readFileSync(part.file) : '';
    hash.update(`${Buffer.byteLength(bytes)}:`).update(bytes);
  }
  return hash.digest('hex');
}

/** Files under `folder` whose name ends in one of `endings`, in a fixed order. */
export function filesUnder(folder, endings) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return filesUnder(path, endings);
      return endings.some((ending) => entry.name.endsWith(ending)) ? [path] : [];
    });
}

/** @returns the object that `writeStamp` left, `{}` where there is none or it is damaged */
export function readStamp(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return {};
  }
}

export function writeStamp(file, stamp) {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, JSON.stringify(stamp, null, 2) + '\n');
  renameSync(temporary, file);
}
