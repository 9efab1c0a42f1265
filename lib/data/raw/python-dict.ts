/**
 * One Python literal, as `repr` prints it: the lines of Amazon's 2014 metadata. Dicts, lists, tuples, texts in either
 * quote (with their escapes), numbers, True, False, None. Nothing is evaluated.
 */
import { pythonTextEnd, unescapePython } from '../python.js';

const TOKEN = /\s*(?:[ubUB]?(['"])|(-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(True|False|None)\b|([{}[\]():,]))/y;
const WORDS: Record<string, unknown> = { True: true, False: false, None: null };

/** @returns undefined if the text is no such literal */
export function parsePythonLiteral(text: string): unknown {
  const token = new RegExp(TOKEN);
  let mark = '';
  let scalar: unknown;
  const next = (): void => {
    const match = token.exec(text);
    if (!match) throw new SyntaxError('no Python literal');
    const [, quote, number, word, sign] = match;
    mark = sign ?? 'scalar';
    if (quote !== undefined) {
      const start = token.lastIndex;
      const end = pythonTextEnd(text, start - 1);
      if (end === -1) throw new SyntaxError('a text without an end');
      scalar = unescapePython(text.slice(start, end - 1));
      token.lastIndex = end;
    } else scalar = number !== undefined ? Number(number) : WORDS[word!];
  };
  const value = (): unknown => {
    if (mark === 'scalar') return scalar;
    if (mark === '{') return Object.fromEntries(list('}', pair));
    if (mark === '[') return list(']', value);
    if (mark === '(') return list(')', value);
    throw new SyntaxError(`unexpected ${mark}`);
  };
  const pair = (): [string, unknown] => {
    const key = String(value());
    next();
    if (mark !== ':') throw new SyntaxError(`expected :, got ${mark}`);
    next();
    return [key, value()];
  };
  const list = <T>(close: string, one: () => T): T[] => {
    const all: T[] = [];
    for (next(); mark !== close; next()) {
      all.push(one());
      next();
      if (mark === close) break;
      if (mark !== ',') throw new SyntaxError(`expected , or ${close}, got ${mark}`);
    }
    return all;
  };
  try {
    next();
    const whole = value();
    return text.slice(token.lastIndex).trim() === '' ? whole : undefined;
  } catch (error) {
    // A RangeError: nested deeper than the stack.
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}
