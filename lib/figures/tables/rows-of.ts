/**
 * Anything that a notebook has at hand -> rows of named columns, for `showTable`, `toTable`, `toDataFrame` and the
 * figures.
 *
 *   an object         its fields; a nested object's fields as `item.HR@10`, a large one stays whole
 *   an array          columns `0`, `1`, ...
 *   any other value   column `value`
 *
 * Rows with a history and a target (rows of a data set, results, bad cases) get the `length` of the history and, where
 * they hold a ranking (`items`), the `rank` of the target, from 1, or 0 where the ranking lacks it.
 */
import { types } from 'node:util';
import type { TableRow } from '../figure.js';
import { listOf, record, type TableLike } from './shapes.js';

/** Any table as rows. */
export interface Rows {
  /** Names of the columns, in the order in which the rows have them. */
  columns: string[];
  /** A row need not have every column. */
  rows: TableRow[];
  /** Rows there are; more than `rows` where only the first were asked for. */
  total: number;
}

/**
 * @param value rows of any kind; one object is one row
 * @param most rows that are wanted, from the first on. Default all
 */
export function rowsOf(value: TableLike, most = Infinity): Rows {
  const list = listOf(value) ?? [value];
  const rows = (most < list.length ? list.slice(0, most) : list).map(rowOf);
  const columns = new Set<string>();
  for (const row of rows) for (const name in row) columns.add(name);
  return { columns: [...columns], rows, total: list.length };
}

/** Fields of a nested object that become columns of their own; one with more (a table of its own) stays whole. */
const MOST_NESTED = 24;
const DEEPEST = 6;

function rowOf(value: unknown): TableRow {
  if (typeof value !== 'object' || value === null || types.isDate(value)) return record([['value', value]]);
  if (isList(value)) return record(Array.from(value, (element, i) => [String(i), element]));
  return withRank(flatten(value));
}

/** The fields of an object, nested ones with dots. Where two come to the same name, the later one gets an apostrophe (and `__proto__`, which
 * no table can have). */
export function flatten(value: object): TableRow {
  const row = record([]);
  const add = (object: object, prefix: string, within: readonly object[]): void => {
    for (const [key, field] of Object.entries(object)) {
      const nested = isNested(field) && !within.includes(field) && within.length < DEEPEST;
      if (nested) add(field, `${prefix}${key}.`, [...within, field]);
      else row[freeName(row, prefix + key)] = field;
    }
  };
  add(value, '', [value]);
  return row;
}

function freeName(row: TableRow, name: string): string {
  return name in row || name === '__proto__' ? freeName(row, `${name}'`) : name;
}

/** A plain object of this or of another realm (a notebook's cells run in one of their own), not empty, not large. */
function isNested(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return false;
  const fields = Object.keys(value).length;
  return fields > 0 && fields <= MOST_NESTED;
}

/** Arrays and typed arrays. */
export function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || types.isTypedArray(value);
}

function withRank(row: TableRow): TableRow {
  const { history, target, items } = row;
  if (!isList(history) || typeof target !== 'number') return row;
  const fields = Object.entries(row).flatMap(([name, value]): [string, unknown][] => {
    if (name === 'history' && !('length' in row)) return [[name, value], ['length', history.length]]; // prettier-ignore
    if (name !== 'target' || 'rank' in row || !isList(items)) return [[name, value]];
    return [[name, value], ['rank', Array.prototype.indexOf.call(items, target) + 1]]; // prettier-ignore
  });
  return record(fields);
}
