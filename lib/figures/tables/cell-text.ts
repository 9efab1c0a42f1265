/** A table's cell as text. */
import { types } from 'node:util';
import { isList } from './rows-of.js';

/** Elements of a list that are written out; no cell shows more. */
const MOST_ELEMENTS = 200;

/**
 * Numbers that are not whole with `digits` after the point, those that would come out as 0 as `3.0e-5`; times in ISO
 * form; lists and objects as JSON; nothing for undefined and null.
 * @param digits default: as many as there are
 */
export function cellText(value: unknown, digits?: number): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'number') return numberText(value, digits);
  if (typeof value === 'string') return value;
  if (typeof value === 'function') return '[function]';
  if (types.isDate(value)) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (typeof value === 'object') return json(value);
  return String(value as bigint | boolean | symbol);
}

function numberText(value: number, digits?: number): string {
  if (digits === undefined || Number.isInteger(value) || !Number.isFinite(value)) return String(value);
  const fixed = value.toFixed(digits);
  return Number(fixed) === 0 ? value.toExponential(1) : fixed;
}

/** JSON in which whatever has none (a `Map`, a typed array, a bigint, a circle) still has a text. */
function json(value: object): string {
  try {
    return JSON.stringify(value, (_, field: unknown) => plain(field)) ?? String(value);
  } catch {
    return Object.prototype.toString.call(value); // a circle, or a getter that throws
  }
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (types.isMap(value) || types.isSet(value)) return [...value];
  if (!isList(value)) return value;
  const list = Array.from({ length: Math.min(value.length, MOST_ELEMENTS) }, (_, i) => value[i]);
  return value.length > MOST_ELEMENTS ? [...list, '…'] : list;
}
