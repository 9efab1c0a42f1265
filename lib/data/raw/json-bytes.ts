/**
 * Strict JSON (RFC 8259) over bytes: where a value ends. Every function returns -1 for what is not JSON, or is too
 * seldom met to be worth the code; the caller then asks `JSON.parse`.
 */
const [QUOTE, COMMA, COLON, BACKSLASH, OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = [34, 44, 58, 92, 123, 125, 91, 93];
const [MINUS, POINT, ZERO, NINE] = [45, 46, 48, 57];

/** Of a byte inside a string: 0 is the character itself, 1 ends the run (quote, backslash, control). */
export const KINDS = new Uint8Array(256).map((_, byte) => (byte < 32 || byte === QUOTE || byte === BACKSLASH ? 1 : 0));

/** White space within a line. */
export function isSpace(byte: number): boolean {
  return byte === 32 || byte === 9 || byte === 13;
}

/** @param at its opening quote */
export function skipString(block: Uint8Array, at: number): number {
  at++;
  for (;;) {
    while (KINDS[block[at]!] === 0) at++;
    const byte = block[at]!;
    if (byte === QUOTE) return at + 1;
    if (byte !== BACKSLASH) return -1;
    const escape = block[at + 1]!;
    if (escape === 117) {
      for (let i = 2; i < 6; i++) if (!isHex(block[at + i]!)) return -1;
      at += 6;
    } else {
      if (!isEscape(escape)) return -1;
      at += 2;
    }
  }
}

/** Any value; objects and lists at most 8 deep. */
export function skipValue(block: Uint8Array, at: number, depth: number): number {
  const byte = block[at]!;
  if (byte === QUOTE) return skipString(block, at);
  if (byte === MINUS || (byte >= ZERO && byte <= NINE)) return plainNumber(block, at, { value: 0 });
  if (byte === 116) return literal(block, at, 'true');
  if (byte === 102) return literal(block, at, 'false');
  if (byte === 110) return literal(block, at, 'null');
  if ((byte !== OPEN && byte !== OPEN_LIST) || depth === 8) return -1;
  const close = byte === OPEN ? CLOSE : CLOSE_LIST;
  at = skipSpaces(block, at + 1);
  if (block[at] === close) return at + 1;
  for (;;) {
    if (close === CLOSE) {
      if (block[at] !== QUOTE) return -1;
      at = skipString(block, at);
      if (at === -1) return -1;
      at = skipSpaces(block, at);
      if (block[at] !== COLON) return -1;
      at = skipSpaces(block, at + 1);
    }
    at = skipValue(block, at, depth + 1);
    if (at === -1) return -1;
    at = skipSpaces(block, at);
    if (block[at] === close) return at + 1;
    if (block[at] !== COMMA) return -1;
    at = skipSpaces(block, at + 1);
  }
}

/**
 * A number of at most 15 digits and without exponent: its digits and the power of ten are exact doubles, so the
 * quotient is the double nearest to the text, as `JSON.parse` has it.
 */
export function plainNumber(block: Uint8Array, at: number, into: { value: number }): number {
  const negative = block[at] === MINUS;
  if (negative) at++;
  const from = at;
  let [digits, scale] = [0, 1];
  let byte = block[at]!;
  while (byte >= ZERO && byte <= NINE) {
    digits = 10 * digits + (byte - ZERO);
    byte = block[++at]!;
  }
  if (at === from || (block[from] === ZERO && at > from + 1)) return -1;
  let after = 0;
  if (byte === POINT) {
    byte = block[++at]!;
    for (; byte >= ZERO && byte <= NINE; after++) {
      digits = 10 * digits + (byte - ZERO);
      scale *= 10;
      byte = block[++at]!;
    }
    if (after === 0) return -1;
  }
  if (at - from > 15 || byte === 101 || byte === 69) return -1;
  into.value = (negative ? -digits : digits) / scale;
  return at;
}

function skipSpaces(block: Uint8Array, at: number): number {
  while (isSpace(block[at]!)) at++;
  return at;
}

function literal(block: Uint8Array, at: number, word: string): number {
  for (let i = 0; i < word.length; i++) if (block[at + i] !== word.charCodeAt(i)) return -1;
  return at + word.length;
}

function isHex(byte: number): boolean {
  return (byte >= ZERO && byte <= NINE) || ((byte | 32) >= 97 && (byte | 32) <= 102);
}

/** What may follow a backslash, but for u: " \ / b f n r t */
function isEscape(byte: number): boolean {
  return (
    byte === QUOTE ||
    byte === BACKSLASH ||
    byte === 47 ||
    byte === 98 ||
    byte === 102 ||
    byte === 110 ||
    byte === 114 ||
    byte === 116
  );
}
