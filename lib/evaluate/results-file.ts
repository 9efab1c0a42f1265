/**
 * `results.jsonl`: one line a test row, what every metric, report and comparison is computed from:
 * `{"user":"A1","history":[3,7],"target":9,"items":[9,4],"scores":[-0.1,-2.3]}`, and where an evaluation scored the
 * target's tokens themselves `"targetLogProbs":[-0.1,-2]` at its end.
 */
import { checkFile } from '../files/check-file.js';
import { writeAtomic } from '../files/files.js';
import { readBlocks } from '../files/text-blocks.js';
import { InputError } from '../support/errors.js';
import type { Result } from './result.js';
import { readParts, threadsFor } from './results/read-parts.js';
import { columnResults, type ResultColumns, ResultColumnsBuilder } from './results/result-columns.js';
import { scanResults } from './results/scan-results.js';

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

/**
 * @param threads default as many as the file's size is worth
 * @throws InputError for a missing or empty file, a broken line, a missing field: file, line and mend
 */
export async function readResults(path: string, threads?: number): Promise<Result[]> {
  const results: Result[] = [];
  await eachResult(path, (result) => results.push(result), threads);
  return results;
}

/**
 * The same one after the other, for what need not be in memory all at once.
 * @throws InputError as `readResults`
 */
export async function eachResult(path: string, take: (result: Result) => void, threads?: number): Promise<void> {
  checkFile(path);
  const several = threads ?? threadsFor(path);
  let rows = 0;
  for await (const columns of several > 1 ? readParts(path, several) : readWhole(path)) {
    for (const result of columnResults(columns ?? (await failing(path)))) take(result);
    rows += columns!.users.length;
  }
  if (rows === 0) throw new InputError(`${path}: expected results, got an empty file; evaluate again`);
}

async function* readWhole(path: string): AsyncGenerator<ResultColumns> {
  const builder = new ResultColumnsBuilder();
  let lines = 0;
  for await (const block of readBlocks(path, () => lines)) {
    lines = scanResults(block, builder, path, lines);
    yield builder.take();
  }
}

/** Reads a file of which a thread could not read a part, for the message with the line. */
async function failing(path: string): Promise<never> {
  for await (const _ of readWhole(path));
  throw new InputError(`${path}: it was changed while it was read; read it again`);
}
