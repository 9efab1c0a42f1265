/**
 * Python's `repr` of texts and lists, which MiniOneRec's CSV cells are written in, both ways.
 *
 * After CPython's unicode_repr: single quotes unless the text has some and no double ones; backslash, quote, tab and
 * line ends escaped by name; what `str.isprintable` calls unprintable (every separator but the space, every control,
 * format, surrogate, private or unassigned code point) as \xhh, \uhhhh or \Uhhhhhhhh.
 */
const NAMED: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** `it's` -> `"it's"` */
export function pythonRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const body = text
    .replace(/[\\\n\r\t]/g, (c) => NAMED[c] ?? '\\\\')
    .replace(/(?! )[\p{C}\p{Z}]/gu, (c) => escapeCode(c.codePointAt(0)!));
  return quote + (quote === "'" ? body.replace(/'/g, "\\'") : body) + quote;
}

/** `['a', 2]` -> `['a', 2]` as Python prints it. */
export function pythonList(values: readonly (string | number)[]): string {
  return `[${values.map((value) => (typeof value === 'string' ? pythonRepr(value) : String(value))).join(', ')}]`;
}

/**
 * A printed list of texts and whole numbers, read back.
 * @returns undefined if the text is no such list
 * @example parsePythonList(`['a', "it's", 3]`) // ['a', "it's", 3]
 */
export function parsePythonList(text: string): (string | number)[] | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith('[') || !trimmed.endsWith(']')) return undefined;
  const inner = trimmed.slice(1, -1);
  const values: (string | number)[] = [];
  const token = /\s*(?:'([^'\\]*(?:\\[^][^'\\]*)*)'|"([^"\\]*(?:\\[^][^"\\]*)*)"|(-?\d+))\s*(,|$)/y;
  while (token.lastIndex < inner.length) {
    if (inner.slice(token.lastIndex).trim() === '') break; // a comma at the end
    const match = token.exec(inner);
    if (!match) return undefined;
    const quoted = match[1] ?? match[2];
    values.push(quoted === undefined ? Number(match[3]) : unescapePython(quoted));
  }
  return values;
}

function escapeCode(code: number): string {
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code <= 0xffff) return `\\u${code.toString(16).padStart(4, '0')}`;
  return `\\U${code.toString(16).padStart(8, '0')}`;
}

const ESCAPED: Record<string, string> = { n: '\n', r: '\r', t: '\t', '\n': '' };

/** The text that stands between the quotes of a Python literal. */
export function unescapePython(body: string): string {
  return body.replace(
    /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([^]))/g,
    (_, x, u, long, other?: string) =>
      other === undefined ? String.fromCodePoint(parseInt((x ?? u ?? long) as string, 16)) : (ESCAPED[other] ?? other),
  );
}
