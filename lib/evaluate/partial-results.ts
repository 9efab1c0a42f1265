/**
 * Results while they are made: `FILE.part` gets a line a row after each batch, so that an evaluation that was killed goes
 * on where it was. Its first line says what the rows are of; rows of anything else are never taken for them.
 */
import { existsSync, rmSync } from 'node:fs';
import { appendOrFail, writeAtomic } from '../files/files.js';
import { wholeLines } from '../files/whole-file.js';
import { type Result, resultLine } from './results-file.js';

/** A row's place, and its result. */
type Line = Result & { row: number };

/** Rows that are done, on disk. */
export class PartialResults {
  /** By the row's place among all rows. */
  readonly done = new Map<number, Result>();
  private readonly file: string;

  /**
   * @param results file that they will become
   * @param key of all that decides a result: options, hashes of the inputs, version of the code
   */
  constructor(results: string, key: string) {
    this.file = `${results}.part`;
    const kept = existsSync(this.file) ? readLines(this.file, key) : [];
    for (const { row, ...result } of kept) this.done.set(row, result);
    // What a kill left half-written goes; so does what is of another evaluation.
    writeAtomic(this.file, partialLines(key, kept));
  }

  /** On disk before it returns. @throws InputError if the disk refuses */
  add(rows: readonly number[], results: readonly Result[]): void {
    const lines = results.map((result, i) => resultLine(result, { row: rows[i]! }) + '\n');
    appendOrFail(this.file, lines.join(''));
    results.forEach((result, i) => this.done.set(rows[i]!, result));
  }

  /** Where they are until then, for a message. */
  get path(): string {
    return this.file;
  }

  /** The results are in their own file: these are no longer needed. */
  remove(): void {
    rmSync(this.file, { force: true });
  }
}

function* partialLines(key: string, kept: readonly Line[]): Generator<string> {
  yield JSON.stringify({ of: key }) + '\n';
  for (const { row, ...result } of kept) yield resultLine(result, { row }) + '\n';
}

/** Whole lines of the same evaluation, up to the first that is damaged. */
function readLines(file: string, key: string): Line[] {
  const lines: Line[] = [];
  let before: string | undefined; // the last one, behind the last break, is what a kill cut short
  let first = true;
  for (const text of wholeLines(file)) {
    if (before !== undefined) {
      const line = parsed<Line & { of?: string }>(before);
      if (first ? line?.of !== key : !Number.isInteger(line?.row) || !Array.isArray(line?.items)) break;
      if (!first) lines.push(line!);
      first = false;
    }
    before = text;
  }
  return lines;
}

function parsed<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}
