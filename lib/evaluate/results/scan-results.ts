/** A block of lines of `results.jsonl` into columns. */
import { parseResult } from './parse-result.js';
import type { ResultColumnsBuilder } from './result-columns.js';
import { scanResult } from './scan-result.js';

const NEWLINE = 10;
const decoder = new TextDecoder();

/**
 * @param bytes whole lines, each with its end
 * @param path file, for the error @param lines how many came before, for the error
 * @returns how many there are now
 * @throws InputError for a broken line or a missing field
 */
export function scanResults(bytes: Uint8Array, columns: ResultColumnsBuilder, path: string, lines: number): number {
  const block = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  columns.reserve(block.length);
  for (let at = 0; at < block.length;) {
    lines++;
    const next = scanResult(block, at, columns);
    if (next >= 0) {
      at = next;
      continue;
    }
    const end = block.indexOf(NEWLINE, at);
    const text = decoder.decode(block.subarray(at, end)).trimEnd();
    if (text !== '') columns.push(parseResult(text, `${path}:${lines}`));
    at = end + 1;
  }
  return lines;
}
