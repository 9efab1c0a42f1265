/**
 * `results.jsonl`: one line a test row, what every metric, report and comparison is computed from:
 * `{"user":"A1","history":[3,7],"target":9,"items":[9,4],"scores":[-0.1,-2.3]}`, and where an evaluation scored the
 * target's tokens themselves `"targetLogProbs":[-0.1,-2]` at its end.
 */
import { parseObject } from '../data/raw/reviews.js';
import { writeAtomic } from '../files/files.js';
import { readBlocks } from '../files/text-blocks.js';
import { InputError } from '../support/errors.js';
import type { Result } from './result.js';
import { scanResult } from './scan-result.js';

export type { Result };

/** Writes `results.jsonl`, a line for each result. @param rows their places among all rows, where these are a share */
export function writeResults(path: string, results: readonly Result[], rows?: readonly number[]): void {
  writeAtomic(path, resultLines(results, rows));
}

function* resultLines(results: readonly Result[], rows?: readonly number[]): Generator<string> {
  for (const [i, result] of results.entries()) yield resultLine(result, rows && { row: rows[i]! }) + '\n';
}

/** @param before fields that come first @returns one line, without its end */
export function resultLine(result: Result, before: object = {}): string {
  const { user, history, target, items, scores, targetLogProbs } = result;
  return JSON.stringify({ ...before, user, history, target, items, scores, targetLogProbs });
}

/** @throws InputError for a missing or empty file, a broken line, a missing field: file, line and mend */
export async function readResults(path: string): Promise<Result[]> {
  const results: Result[] = [];
  const decoder = new TextDecoder();
  let line = 0;
  for await (const bytes of readBlocks(path, () => line)) {
    const block = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < block.length;) {
      line++;
      const scanned = scanResult(block, at);
      if (scanned) {
        results.push(scanned.result);
        at = scanned.next;
        continue;
      }
      const end = block.indexOf(10, at);
      const text = decoder.decode(block.subarray(at, end)).trimEnd();
      if (text !== '') results.push(parseResult(text, `${path}:${line}`));
      at = end + 1;
    }
  }
  if (results.length === 0) throw new InputError(`${path}: expected results, got an empty file; evaluate again`);
  return results;
}

/** @param where file and line, for the error @throws InputError for a broken line or a missing field */
export function parseResult(text: string, where: string): Result {
  if (!text.endsWith('}')) throw new InputError(`${where}: not valid JSON, the line is cut short; evaluate again`);
  const { user, history, target, items, scores, targetLogProbs } = parseObject(text, where);
  const numbers = (value: unknown): value is number[] =>
    Array.isArray(value) && value.every((element) => typeof element === 'number');
  const wrong = (field: string): never => {
    throw new InputError(`${where}: ${field} is missing or of another kind; evaluate again`);
  };
  if (typeof user !== 'string') return wrong('user');
  if (!numbers(history)) return wrong('history');
  if (typeof target !== 'number') return wrong('target');
  if (!numbers(items)) return wrong('items');
  if (Array.isArray(scores) && scores.includes(null)) {
    throw new InputError(`${where}: score ${scores.indexOf(null) + 1} is NaN; look for the model's first NaN loss`);
  }
  if (!numbers(scores) || scores.length !== items.length) return wrong('scores (one an item)');
  if (targetLogProbs !== undefined && !numbers(targetLogProbs)) return wrong('targetLogProbs');
  return { user, history, target, items, scores, ...(targetLogProbs && { targetLogProbs }) };
}
