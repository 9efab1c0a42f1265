/**
 * The data sets of a folder that `join` wrote, apart again: `NAME.parts.json` says how many items and rows each has, in
 * the order in which they lie behind one another, and the SHA-256 of the files that they came from.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from '../../files/files.js';
import { InputError } from '../../support/errors.js';
import { type Dataset, type Row, type Split, SPLITS } from '../dataset.js';
import type { Part } from './part.js';

/** A data set of a joined folder as it was alone, and its first item's id in the joined one. */
export interface PartView {
  dataset: Dataset;
  firstItem: number;
}

/** Asks for all data sets as one. */
export const ALL_PARTS = 'all';

/** Where the parts of a joined folder are. */
export function partsFile(dir: string, name: string): string {
  return join(dir, `${name}.parts.json`);
}

/** @returns undefined where the folder is of one data set @throws InputError for a damaged file */
export function readPartsFile(dir: string, name: string): Part[] | undefined {
  const file = partsFile(dir, name);
  if (!existsSync(file)) return undefined;
  const parts = readJson<Part[]>(file);
  const count = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
  const whole = (part: Partial<Part> | null): boolean =>
    typeof part?.name === 'string' && count(part.items) && SPLITS.every((split) => count(part.rows?.[split]));
  if (Array.isArray(parts) && parts.length > 0 && parts.every(whole)) return parts;
  throw new InputError(`${file}: expected data sets with their numbers of items and rows; run sidlab join again`);
}

/** @throws InputError where items and rows are not as many as the parts have together */
export function checkParts(dataset: Dataset): Dataset {
  const { parts, dir, name, items } = dataset;
  if (!parts) return dataset;
  const sum = (of: (part: Part) => number): number => parts.reduce((total, part) => total + of(part), 0);
  const fits =
    sum((part) => part.items) === items.length &&
    SPLITS.every((split) => sum(({ rows }) => rows[split]) === dataset[split].length);
  if (fits) return dataset;
  throw new InputError(
    `${partsFile(dir, name)}: its data sets have other numbers of items or rows than ${name}; run sidlab join again, or remove the file`,
  );
}

/** The user of a part in the joined folder. */
export function joinedUser(part: string, user: string): string {
  return `${part}/${user}`;
}

/** The name that a user had alone. @returns undefined for a user of another data set, or of none */
export function userAlone(part: string, user: string): string | undefined {
  const prefix = joinedUser(part, '');
  return user.startsWith(prefix) ? user.slice(prefix.length) : undefined;
}

/**
 * @param part name of one, or `all` or nothing: the data set as it is
 * @throws InputError for a name that the folder does not have
 */
export function partView(joined: Dataset, part?: string): PartView {
  const { parts, dir } = joined;
  if (part === undefined || part === ALL_PARTS) return { dataset: joined, firstItem: 0 };
  const names = parts?.map(({ name }) => name);
  const at = names?.indexOf(part) ?? -1;
  if (!parts || at < 0) {
    const there = names ? `one of ${names.join(', ')}` : 'a folder that sidlab join wrote';
    throw new InputError(`--part: expected ${there}, got ${part} of ${dir}`);
  }
  const before = parts.slice(0, at);
  const { items, rows, sources } = parts[at]!;
  const sum = (of: (other: Part) => number): number => before.reduce((total, other) => total + of(other), 0);
  const firstItem = sum((other) => other.items);
  const own = Object.fromEntries(
    SPLITS.map((split) => {
      const first = sum((other) => other.rows[split]);
      return [split, joined[split].slice(first, first + rows[split]).map((row) => moved(row, -firstItem, part))];
    }),
  ) as Record<Split, Row[]>;
  return {
    dataset: { name: part, dir, items: joined.items.slice(firstItem, firstItem + items), ...own, sources },
    firstItem,
  };
}

function moved({ user, history, target }: Row, by: number, part: string): Row {
  return {
    user: userAlone(part, user) ?? user,
    history: history.map((id) => id + by),
    target: target + by,
  };
}
