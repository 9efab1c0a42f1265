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

/** A literal: its prefix, and its body by the kind of its quotes. */
const LITERAL =
  /([fFrRuUbB]*)(?:"""((?:\\[^]|[^\\])*?)"""|'''((?:\\[^]|[^\\])*?)'''|"(?!"")((?:\\[^]|[^"\\\n])*)"|'(?!'')((?:\\[^]|[^'\\\n])*)')/y;
const BETWEEN = /[\s\\(]*/y;

/**
 * The string expression at a place: literals with nothing but blanks, line ends (after a backslash or within brackets) or
 * brackets between them.
 * @returns undefined if no literal begins there
 */
export function pythonText(source: string, at: number): PythonText | undefined {
  const bracketed = matchAt(/\s*\(/y, source, at) !== null;
  let found: PythonText | undefined;
  for (;;) {
    const from = found ? found.end : at;
    const [between] = matchAt(BETWEEN, source, from)!;
    // A string on a line of its own, without a backslash or a bracket before, is another statement.
    if (found && !bracketed && /^[^\\(]*\n[^\\(]*$/.test(between)) return found;
    const literal = matchAt(LITERAL, source, from + between.length);
    if (!literal) return found;
    const [whole, prefix, ...bodies] = literal as unknown as [string, string, ...(string | undefined)[]];
    const body = bodies.find((of) => of !== undefined)!;
    found = {
      text: (found?.text ?? '') + (/r/i.test(prefix) ? body : unescapePython(body)),
      formatted: found?.formatted === true || /f/i.test(prefix),
      end: from + between.length + whole.length,
    };
  }
}

function matchAt(pattern: RegExp, source: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(source);
}

/** The string expressions that follow each match of a pattern. */
export function* textsAfter(source: string, pattern: RegExp): Generator<PythonText> {
  for (const match of source.matchAll(pattern)) {
    const found = pythonText(source, match.index + match[0].length);
    if (found) yield found;
  }
}
