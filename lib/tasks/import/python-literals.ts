/** Texts in Python source: string literals of every kind, joined where they stand side by side. */
import { unescapePython } from '../../data/python.js';

/** A string expression that was found. */
export interface PythonText {
  /** Its text; of an f-string with the expressions still in braces. */
  text: string;
  /** Whether one of its literals is an f-string. */
  formatted: boolean;
  /** Where it ends in the source. */
  end: number;
}

const OPENING = /([fFrRuUbB]*)("""|'''|"|')/y;

/**
 * The string expression at a place: literals with nothing but blanks, line ends (after a backslash or within brackets) or
 * brackets between them.
 * @returns undefined if no literal begins there
 */
export function pythonText(source: string, at: number): PythonText | undefined {
  const blank = /[\s\\(]*/y;
  let [text, formatted, end] = ['', false, -1];
  for (let next = at; ;) {
    blank.lastIndex = next;
    blank.exec(source);
    OPENING.lastIndex = blank.lastIndex;
    const opening = OPENING.exec(source);
    // A string on a line of its own, without a backslash or a bracket before, is another statement.
    const apart =
      end >= 0 && /\n/.test(source.slice(end, blank.lastIndex)) && !/[\\(]/.test(source.slice(end, blank.lastIndex));
    if (!opening || (apart && !source.slice(at, end).trimStart().startsWith('('))) break;
    const [, prefix = '', quote = '"'] = opening;
    const from = OPENING.lastIndex;
    const close = closing(source, from, quote);
    if (close < 0) break;
    const body = source.slice(from, close);
    text += /r/i.test(prefix) ? body : unescapePython(body);
    formatted ||= /f/i.test(prefix);
    end = next = close + quote.length;
  }
  return end < 0 ? undefined : { text, formatted, end };
}

/** Where a literal's closing quote begins, or -1. */
function closing(source: string, from: number, quote: string): number {
  for (let at = from; at < source.length; at++) {
    if (source[at] === '\\') at++;
    else if (source.startsWith(quote, at)) return at;
    else if (quote.length === 1 && source[at] === '\n') return -1;
  }
  return -1;
}

/** The string expressions that follow each match of a pattern, with its groups. */
export function* textsAfter(source: string, pattern: RegExp): Generator<PythonText & { groups: string[]; at: number }> {
  for (const match of source.matchAll(pattern)) {
    const found = pythonText(source, match.index + match[0].length);
    if (found) yield { ...found, groups: match.slice(1), at: match.index };
  }
}
