/** Where JSON values end: exactly there for what the scanner knows, -1 for what it leaves to `JSON.parse`, never elsewhere. */
import fc from '../fast-check.js';
import { describe, expect, test } from 'vitest';
import { isSpace, KINDS, plainNumber, skipString, skipValue } from '../../lib/data/raw/json-bytes.js';

/** The text in the middle of other bytes, so that a place counted from 0 shows. */
function within(text: string, after = ','): { block: Uint8Array; at: number; end: number } {
  const length = Buffer.byteLength(text);
  return { block: Buffer.from(`"[${text}${after}`), at: 2, end: 2 + length };
}

const ends = (text: string, depth = 0, after?: string): boolean => {
  const { block, at, end } = within(text, after);
  const found = skipValue(block, at, depth);
  expect([-1, end], text).toContain(found);
  return found === end;
};

describe('strings', () => {
  test.each([
    '""',
    '"a"',
    '"é€😀"',
    '"a b/c"',
    '"\u007f"',
    '"\\n"',
    '"\\\\\\""',
    ...[...'"\\/bfnrt'].map((c) => `"x\\${c}y"`),
  ])('%j ends at its quote', (text) => {
    const { block, at, end } = within(text, 'z"');
    expect(skipString(block, at)).toBe(end);
  });

  test.each(['0123', '9aAf', 'F00d', '0000', 'ffff', 'AFaf'])('\\u%s', (digits) => {
    for (const next of ['1', '', 'z']) {
      const { block, at, end } = within(`"\\u${digits}${next}"`, '0"');
      expect(skipString(block, at)).toBe(end);
    }
  });

  test.each([...'/:@G`g', ' '])('four hexadecimal digits follow \\u, not %j at any of the places', (wrong) => {
    for (let place = 0; place < 4; place++) {
      const digits = [...'aaaa'].with(place, wrong).join('');
      const { block, at } = within(`"\\u${digits}aaaa"`);
      expect(skipString(block, at)).toBe(-1);
    }
  });

  test('other escapes, control characters, no end', () => {
    const escapes = new Set([...'"\\/bfnrt'].map((c) => c.charCodeAt(0)));
    for (let byte = 0; byte < 256; byte++) {
      const escaped = skipString(Uint8Array.of(34, 92, byte, 97, 34, 34), 0);
      if (byte !== 117) expect(escaped, `\\ ${byte}`).toBe(escapes.has(byte) ? 5 : -1);
      expect(skipString(Uint8Array.of(34, byte, 97, 34), 0), `${byte}`).toBe(
        byte < 32 ? -1 : byte === 34 ? 2 : byte === 92 ? -1 : 4,
      );
      expect(KINDS[byte], `${byte}`).toBe(byte < 32 || byte === 34 || byte === 92 ? 1 : 0);
      expect(isSpace(byte), `${byte}`).toBe([9, 13, 32].includes(byte));
    }
    expect(skipString(Buffer.from('"abc'), 0)).toBe(-1);
  });
});

describe('numbers', () => {
  test.each([
    ['0', 0],
    ['-0', -0],
    ['7', 7],
    ['-12', -12],
    ['0.5', 0.5],
    ['-0.25', -0.25],
    ['10.075', 10.075],
    ['900719925474099', 900719925474099],
    ['-123456789012345', -123456789012345],
    ['0.1234567890123', 0.1234567890123],
    ['99999.99', 99999.99],
  ])('%s', (text, value) => {
    for (const after of [',', '}', ' ', '/', ':', 'x']) {
      const into = { value: NaN };
      const { block, at, end } = within(text, after);
      expect(plainNumber(block, at, into)).toBe(end);
      expect(into.value).toBe(value);
    }
  });

  test.each(['', '-', '.5', '-.5', '1.', '-1.', '00', '01', '-01', '00.5', '1e5', '1E5', '1.5e3', '0e0', '+1', 'a'])(
    '%j is none, or left to JSON.parse',
    (text) => {
      const { block, at } = within(text);
      expect(plainNumber(block, at, { value: 0 })).toBe(-1);
    },
  );

  test('15 places at most, the point among them: beyond, a quotient may not be the nearest double', () => {
    for (const text of ['1234567890123456', '0.12345678901234', '12345678.1234567']) {
      const { block, at } = within(text);
      expect(plainNumber(block, at, { value: 0 }), text).toBe(-1);
    }
  });

  test('any number of few digits has the value of JSON.parse', () => {
    const digits = fc.tuple(fc.boolean(), fc.nat(99_999_999), fc.option(fc.stringMatching(/^\d{1,5}$/)));
    fc.assert(
      fc.property(digits, ([negative, whole, fraction]) => {
        const text = `${negative ? '-' : ''}${whole}${fraction === null ? '' : `.${fraction}`}`;
        const into = { value: NaN };
        const { block, at, end } = within(text);
        expect([plainNumber(block, at, into), into.value]).toEqual([end, JSON.parse(text)]);
      }),
    );
  });
});

describe('values', () => {
  const known = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', maxDepth: 4 },
      fc.constantFrom(true, false, null, 0, -3, 12.5),
      fc.string({ maxLength: 4 }),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.string({ maxLength: 3 }), tie('value'), { maxKeys: 3 }),
    ),
  })).value;

  test('whatever the white space, a value of known parts ends where it ends', () => {
    fc.assert(
      fc.property(known, fc.constantFrom('', ' ', '\t', '\r', ' \t '), (value, space) => {
        const text = JSON.stringify(value, null, 1).replace(/\n */g, space);
        for (const after of [',', ']', '"', '1'])
          if (typeof value !== 'number') expect(ends(text, 0, after)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('a damaged value ends where JSON.parse would have it end, or nowhere', () => {
    const edit = fc.tuple(fc.nat(40), fc.nat(1), fc.constantFrom('', ',', ':', '[', ']', '{', '}', '"', '1', 't', ' '));
    let good = 0;
    fc.assert(
      fc.property(known, edit, (value, [at, drop, put]) => {
        const whole = JSON.stringify({ a: [value, 'b'], c: {} });
        const text = whole.slice(0, at) + put + whole.slice(at + drop);
        const block = Buffer.from(`${text}\n`);
        const end = skipValue(block, 0, 0);
        if (end < 0) return;
        good++;
        expect(() => JSON.parse(block.subarray(0, end).toString()) as unknown).not.toThrow();
      }),
      { numRuns: 1000 },
    );
    expect(good).toBeGreaterThan(50);
  });

  test.each([
    '[]',
    '{}',
    '[ ]',
    '{ }',
    '[1]',
    '[0]',
    '[9]',
    '[1 , "a",null]',
    '{"a":1}',
    '{"a" : [ ] , "b":{"c":true}}',
    'true',
    'false',
    'null',
    '-1.5',
    '"x"',
  ])('%s', (text) => {
    expect(ends(text)).toBe(true);
  });

  test.each([
    '[1,]',
    '[,1]',
    '[1 2]',
    '{"a"}',
    '{"a\\x":1}',
    '{"a":}',
    '{"a":1,}',
    '{a:1}',
    '{1:1}',
    '{"a" 1}',
    '{"a":1 "b":2}',
    '[1}',
    '{"a":1]',
    'tru',
    'trUe',
    'fals ',
    'nul',
    'nil',
    'x',
    '',
    '[',
    '{',
    ']',
    '/1',
    ':',
  ])('%j is no value', (text) => {
    expect(skipValue(Buffer.from(`${text}\n\n\n`), 0, 0)).toBe(-1);
  });

  test('at most eight deep', () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const nested = (depth: number) => `${open.repeat(depth)}1${close.repeat(depth)}`;
      expect([1, 7, 8, 9].map((depth) => ends(nested(depth)))).toEqual([true, true, true, false]);
      expect([1, 2, 3].map((depth) => ends(nested(depth), 6))).toEqual([true, true, false]);
    }
    expect(ends('[[1],[2],[3],[4],[5],[6],[7],[8],[9],[10]]')).toBe(true); // many side by side
  });
});
