/**
 * Results while they are made: `FILE.part` gets a line a row after each batch, so that an evaluation that was killed goes
 * on where it was. Its first line says what the rows are of; rows of anything else are never taken for them.
 */
import { existsSync, rmSync } from 'node:fs';
import { appendOrFail, readText, writeAtomic } from '../files/files.js';
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
    writeAtomic(
      this.file,
      [JSON.stringify({ of: key }), ...kept.map(({ row, ...result }) => resultLine(result, { row }))].join('\n') + '\n',
    );
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

/** Whole lines of the same evaluation, up to the first that is damaged. */
function readLines(file: string, key: string): Line[] {
  const [first, ...others] = readText(file).split('\n').slice(0, -1); // behind the last break is what a kill cut short
  if (parsed<{ of?: string }>(first ?? '')?.of !== key) return [];
  const lines: Line[] = [];
  for (const text of others) {
    const line = parsed<Line>(text);
    if (!Number.isInteger(line?.row) || !Array.isArray(line?.items)) break;
    lines.push(line);
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
