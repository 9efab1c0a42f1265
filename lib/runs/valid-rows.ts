/**
 * `valid-ranks.jsonl` of a run: the rank of every validation row, a line a validation, so that what is said of two
 * validations can be tested on their rows. A step that a resumed run validates again counts as it was last.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { appendOrFail } from '../files/files.js';
import { wholeLines } from '../files/whole-file.js';

/** A row of a validation: whose it is, and the rank of its target; 0 where the list lacks it. */
export interface ValidRow {
  user: string;
  rank: number;
}

const FILE = 'valid-ranks.jsonl';

/** Adds a validation. */
export function writeValidRows(folder: string, step: number, rows: readonly ValidRow[]): void {
  const line = { step, users: rows.map(({ user }) => user), ranks: rows.map(({ rank }) => rank) };
  appendOrFail(join(folder, FILE), JSON.stringify(line) + '\n');
}

/** The rows of a step; undefined where a run did not keep them. */
export function readValidRows(folder: string, step: number): ValidRow[] | undefined {
  const file = join(folder, FILE);
  if (!existsSync(file)) return undefined;
  let line: string | undefined;
  for (const text of wholeLines(file)) if (text.startsWith(`{"step":${step},`) && text.endsWith('}')) line = text;
  if (line === undefined) return undefined;
  const { users, ranks } = JSON.parse(line) as { users: string[]; ranks: number[] };
  return users.map((user, i) => ({ user, rank: ranks[i]! }));
}
