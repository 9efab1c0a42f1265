/** What the values of raw files become: names of users and items, item texts, and their look in messages. */
import { parsePythonLiteral } from './python-dict.js';

/** What a message says was expected of a name. */
export const NAME_EXPECTED = 'text without spaces';

/**
 * A user's or item's name as text: text without white space (names are written to tab- and space-separated files) or
 * a whole number that a double holds exactly.
 * @returns undefined for anything else: empty, white space, half a surrogate pair, 2^53 and beyond
 */
export function nameOf(value: unknown): string | undefined {
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return String(value);
  return typeof value === 'string' && /^[^\s\p{Cs}]+$/u.test(value) ? value : undefined;
}

/**
 * An item's text, whatever shape the source has it in: text, a number, a list (of lists) of them, an object of them
 * (its texts), or such a list or object printed as text, as CSV files hold it. Null and NaN are nothing.
 * @param separator between the elements of a list
 * @param plain true for a title: no object, and printed lists only of texts
 * @returns undefined for a value that has no text: a truth value, an object where `plain`
 * @example textOf("['Home', 'Chairs']", ', ') // 'Home, Chairs'
 */
export function textOf(value: unknown, separator: string, plain = false): string | undefined {
  if (typeof value !== 'string') return joined(value, separator, plain);
  const printed = parsePrinted(value);
  if (printed === undefined || (plain && !isTexts(printed))) return value;
  return joined(printed, separator, plain) ?? value;
}

function joined(value: unknown, separator: string, plain: boolean): string | undefined {
  if (value === null || value === undefined || Number.isNaN(value)) return '';
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) {
    if (isTexts(value)) return value.join(separator);
    const parts = value
      .flat(Infinity)
      .filter((part) => part !== null && part !== undefined)
      .map((part) => joined(part, separator, plain));
    return parts.includes(undefined) ? undefined : parts.join(separator);
  }
  if (plain || typeof value !== 'object') return undefined;
  return Object.values(value)
    .filter((part) => typeof part === 'string')
    .join(separator);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((part) => typeof part === 'string');
}

/** A list or object that JSON, Python or numpy (`['a' 'b']`) printed. */
function parsePrinted(text: string): unknown {
  if (!/^\s*[[{]/.test(text) || !/[\]}]\s*$/.test(text.slice(-99))) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return parsePythonLiteral(text) ?? parseNumpyTexts(text);
  }
}

const LONGEST_PRINTED = 1e5;

/** numpy prints no commas: `['a' "it's"]`. */
function parseNumpyTexts(text: string): unknown {
  if (text.length > LONGEST_PRINTED) return undefined; // numpy abridges, and the pattern below is for short texts
  const cell = `(?:'[^'\\\\]*(?:\\\\.[^'\\\\]*)*'|"[^"\\\\]*(?:\\\\.[^"\\\\]*)*")`;
  const inner = text.trim().slice(1, -1).trim();
  const cells = inner.match(new RegExp(cell, 'gs')) ?? [];
  return cells.length > 1 && inner.replace(new RegExp(cell, 'gs'), '').trim() === ''
    ? parsePythonLiteral(`[${cells.join(',')}]`)
    : undefined;
}

/** A value for a message: as JSON, at most 60 characters. */
export function shown(value: unknown): string {
  const text = typeof value === 'bigint' ? String(value) : String(JSON.stringify(value));
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
