import fc from '../fast-check.js';
import { expect, test } from 'vitest';
import { formatCsv, parseCsv } from '../../lib/data/csv.js';
import { parsePythonList, pythonList, pythonRepr } from '../../lib/data/python.js';

// Right sides printed by CPython 3.11: print(repr(text)).
test.each([
  ["it's", `"it's"`],
  [`5" x 3'`, `'5" x 3\\''`],
  ['a\\b', `'a\\\\b'`],
  ['tab\tline\nreturn\r', `'tab\\tline\\nreturn\\r'`],
  ['\u00a0\u00ad\u0000\u007f', `'\\xa0\\xad\\x00\\x7f'`],
  ['\u200b\u2028\ufeff', `'\\u200b\\u2028\\ufeff'`],
  ['Türlen 12” – café', `'Türlen 12” – café'`],
  ['😀', `'😀'`],
  ['\u{e0001}', `'\\U000e0001'`],
])('repr of %j', (text, expected) => {
  expect(pythonRepr(text)).toBe(expected);
});

test('any list of texts and whole numbers reads back', () => {
  const value = fc.oneof(fc.string({ unit: 'binary', maxLength: 8 }), fc.constantFrom(`'"`, `\\'`, ', '), fc.integer());
  fc.assert(
    fc.property(fc.array(value), (list) => {
      expect(parsePythonList(pythonList(list))).toEqual(list);
    }),
  );
});

test.each(['', 'x', '[1, 2', "['a' 'b']", "['a]", '[1.5]', '[a]'])('%j is no list', (text) => {
  expect(parsePythonList(text)).toBeUndefined();
});

test('any CSV reads back, with the line of each record', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', ' '), maxLength: 6 });
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, fc.constant('end')), { minLength: 1 }), (records) => {
      const parsed = parseCsv(formatCsv(records), 'x.csv');
      expect(parsed.map(({ cells }) => cells)).toEqual(records);
      const lines = records.map((_, i) => formatCsv(records.slice(0, i)).split('\n').length);
      expect(parsed.map(({ line }) => line)).toEqual(lines);
    }),
  );
});

test('CSV of another hand: \\r\\n, no line end at the end, empty cells; a quote that is not closed is an error', () => {
  expect(parseCsv('a,b\r\n,"x ""y"""\r\nc,', 'x.csv').map(({ cells }) => cells)).toEqual([
    ['a', 'b'],
    ['', 'x "y"'],
    ['c', ''],
  ]);
  expect(() => parseCsv('a,b\nc,"d\n', 'x.csv')).toThrow('x.csv:2: a quote in this record is not closed');
});
