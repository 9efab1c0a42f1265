/**
 * `results.jsonl`: one line a test row, what every metric, report and comparison is computed from:
 * `{"user":"A1","history":[3,7],"target":9,"items":[9,4],"scores":[-0.1,-2.3]}`.
 */
import { parseObject } from '../data/raw/reviews.js';
import { readLines, writeAtomic } from '../files/files.js';
import { InputError } from '../support/errors.js';

/** A row, and the items that were recommended for it: a line of `results.jsonl`. */
export interface Result {
  /** Name of the user. */
  user: string;
  /** Item ids, oldest first. */
  history: number[];
  /** Item id. */
  target: number;
  /** Item ids, best first. */
  items: number[];
  /** One an item, falling. */
  scores: number[];
  /** Log-probability of the target's text, in nats; where an evaluation scored it. */
  targetLogProb?: number;
}

/** Writes `results.jsonl`, a line for each result. */
export function writeResults(path: string, results: readonly Result[]): void {
  const lines = results.map(({ user, history, target, items, scores }) =>
    JSON.stringify({ user, history, target, items, scores }),
  );
  writeAtomic(path, lines.map((line) => line + '\n').join(''));
}

/** @throws InputError for a missing or empty file, a broken line, a missing field: file, line and mend */
export async function readResults(path: string): Promise<Result[]> {
  const results: Result[] = [];
  for await (const { text, number } of readLines(path)) results.push(parseResult(text, `${path}:${number}`));
  if (results.length === 0) throw new InputError(`${path}: expected results, got an empty file; evaluate again`);
  return results;
}

function parseResult(text: string, where: string): Result {
  const { user, history, target, items, scores } = parseObject(text, where);
  const numbers = (value: unknown): value is number[] =>
    Array.isArray(value) && value.every((element) => typeof element === 'number');
  const wrong = (field: string): never => {
    throw new InputError(`${where}: ${field} is missing or of another kind; evaluate again`);
  };
  if (typeof user !== 'string') return wrong('user');
  if (!numbers(history)) return wrong('history');
  if (typeof target !== 'number') return wrong('target');
  if (!numbers(items)) return wrong('items');
  if (!numbers(scores) || scores.length !== items.length) return wrong('scores (one an item)');
  return { user, history, target, items, scores };
}
