import fc from '../fast-check.js';
import { expect, test } from 'vitest';
import { orderByTime } from '../../lib/data/filter/order-by-time.js';
import { InteractionsBuilder, interactionsTable } from '../../lib/data/raw/interactions.js';
import { JsonLinesFinder, packLines, takeLines } from '../../lib/data/raw/json-lines.js';
import { type ReviewFields } from '../../lib/data/raw/reviews.js';
import { parseReview, type Review } from '../../lib/data/raw/reviews.js';

const FIELDS: ReviewFields = { user: 'u', item: 'it', time: 't', stars: 's' };

/** What is found in a line, packed as for another thread or not, and how often `JSON.parse` was asked. */
function scanned(bytes: Uint8Array, packed = false): { result: unknown; slow: number } {
  const builder = new InteractionsBuilder();
  let slow = 0;
  const parse = (text: string, line: number): Review => {
    slow++;
    return parseReview(text, `f:${line}`, FIELDS);
  };
  const result = attempt(() => {
    const found = new JsonLinesFinder(FIELDS).find(Buffer.concat([bytes, Buffer.from('\n')]));
    takeLines(packed ? packLines(found) : found, builder, parse);
    return interactionsTable(builder.done()).objects();
  });
  return { result, slow };
}

/** What `JSON.parse` alone makes of it: the plain rule. */
function parsed(bytes: Uint8Array): unknown {
  const text = new TextDecoder().decode(bytes).replace(/\r$/, '');
  if (text === '') return [];
  return attempt(() => {
    const { user, asin, stars, time } = parseReview(text, 'f:1', FIELDS);
    return [{ user, asin, stars: Math.fround(stars), time }];
  });
}

function attempt(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return (error as Error).message;
  }
}

const key = fc.oneof(fc.constantFrom('u', 'it', 't', 's'), fc.string({ maxLength: 3 }));
const value = fc.oneof(
  fc.constantFrom('A1', 'B2', 1.5e9, 1234567890, 5, 4.0, -0, null, true, '12', '', 'a b', 'é'),
  fc.jsonValue({ maxDepth: 3 }),
);
const object = fc
  .array(fc.tuple(key, value), { maxLength: 7 })
  .map((pairs) => `{${pairs.map(([name, v]) => `${JSON.stringify(name)}: ${JSON.stringify(v)}`).join(', ')}}`);
const whole = fc
  .tuple(object, fc.integer({ min: -2e9, max: 2e9 }), fc.constantFrom('5', '4.0', '0.1', '1e0', 'null'))
  .map(
    ([other, time, stars]) =>
      `${other.slice(0, -1)}${other === '{}' ? '' : ','}"u":"U1","it":"I1","t":${time},"s":${stars}}`,
  );

test('whatever the line, the scanner says what JSON.parse says', () => {
  fc.assert(
    fc.property(fc.oneof(object, whole), fc.boolean(), (text, packed) => {
      const bytes = Buffer.from(text);
      expect(scanned(bytes, packed).result).toEqual(parsed(bytes));
    }),
    { numRuns: 2000 },
  );
});

test('so it does on damaged lines: bytes changed, taken out, put in', () => {
  const edit = fc.record({
    at: fc.nat(200),
    drop: fc.nat(2),
    put: fc.constantFrom(
      '',
      '"',
      '\\',
      '{',
      '}',
      ',',
      ':',
      '0',
      '.',
      'e',
      '\t',
      '\r',
      ' ',
      '\u0001',
      '\x7f',
      '\\u00',
      '\ufeff',
    ),
  });
  const plain = '{"x": [1, {"y": "z\\n\\u00e9"}], "u": "U1", "it":"I1", "t": 1500000000, "s": 4.5, "z": {}, "v": true}';
  let slow = 0;
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 3 }), fc.boolean(), (edits, cr) => {
      let text = plain;
      for (const { at, drop, put } of edits) text = text.slice(0, at) + put + text.slice(at + drop);
      const bytes = Buffer.from(text + (cr ? '\r' : ''));
      const got = scanned(bytes);
      expect(got.result).toEqual(parsed(bytes));
      slow += got.slow;
    }),
    { numRuns: 3000 },
  );
  expect(slow).toBeGreaterThan(500); // else nothing was damaged
  expect(scanned(Buffer.from(plain)).slow).toBe(0);
});

test('bytes that are no UTF-8 read as JSON.parse reads them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4 }), fc.constantFrom('x', 'u', 'it'), (noise, name) => {
      if (noise.includes(10)) return;
      const head = name === 'x' ? '{"u":"U","it":"I","t":1,"x":"' : `{"u":"U","it":"I","t":1,"${name}":"k`;
      const bytes = Buffer.concat([Buffer.from(head), noise, Buffer.from('"}')]);
      expect(scanned(bytes).result).toEqual(parsed(bytes));
    }),
    { numRuns: 1000 },
  );
});

test('times in order: stable, whatever the numbers', () => {
  const time = fc.oneof(fc.integer(), fc.double({ noNaN: true }), fc.constantFrom(0, -0, -1, 1.5e9, 1.5e9 + 0.001));
  fc.assert(
    fc.property(fc.array(time, { maxLength: 60 }), (times) => {
      const plain = [...times.keys()].sort((a, b) => Number(times[a]! > times[b]!) - Number(times[a]! < times[b]!));
      expect([...orderByTime(Float64Array.from(times))]).toEqual(plain);
    }),
    { numRuns: 500 },
  );
});
