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
  const number = /-?\d+/y;
  let at = skipBlank(inner, 0);
  while (at < inner.length) {
    if (inner[at] === "'" || inner[at] === '"') {
      const end = pythonTextEnd(inner, at);
      if (end < 0) return undefined;
      values.push(unescapePython(inner.slice(at + 1, end - 1)));
      at = end;
    } else {
      number.lastIndex = at;
      const match = number.exec(inner);
      if (!match) return undefined;
      values.push(Number(match[0]));
      at = number.lastIndex;
    }
    at = skipBlank(inner, at);
    if (at < inner.length && inner[at] !== ',') return undefined;
    at = skipBlank(inner, at + 1); // a comma at the end is allowed
  }
  return values;
}

/**
 * Where a quoted text ends. A loop, not a regular expression: texts of megabytes would overflow its stack.
 * @param at its opening quote
 * @returns the place after its closing quote, or -1 if there is none
 */
export function pythonTextEnd(text: string, at: number): number {
  const quote = text[at];
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === quote) return i + 1;
  }
  return -1;
}

function skipBlank(text: string, at: number): number {
  while (/\s/.test(text[at] ?? '')) at++;
  return at;
}

function escapeCode(code: number): string {
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code <= 0xffff) return `\\u${code.toString(16).padStart(4, '0')}`;
  return `\\U${code.toString(16).padStart(8, '0')}`;
}

const ESCAPED: Record<string, string> = { n: '\n', r: '\r', t: '\t', '\n': '' };

/** The text between the quotes of a Python literal. */
export function unescapePython(body: string): string {
  return body.replace(
    /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([^]))/g,
    (_, x, u, long, other?: string) =>
      other === undefined ? String.fromCodePoint(parseInt((x ?? u ?? long) as string, 16)) : (ESCAPED[other] ?? other),
  );
}
