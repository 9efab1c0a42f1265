/** CSV for spreadsheets: what OWASP's page on CSV injection names, and that our own reader gets the same texts. */
import fc from '../fast-check.js';
import { expect, test } from 'vitest';
import { parseCsv } from '../../lib/data/csv.js';
import { harmless, spreadsheetCsv } from '../../lib/data/spreadsheet-csv.js';

const text = (rows: (string | number)[][]): string => [...spreadsheetCsv(rows)].join('');

test('the worked example, byte by byte', () => {
  expect(text([['name', 'score'], ['=1+1', 0.5]])).toBe('\uFEFF"name","score"\r\n"\'=1+1",0.5\r\n'); // prettier-ignore
  expect([...Buffer.from(text([]))]).toEqual([0xef, 0xbb, 0xbf]);
});

test.each([
  ['=1+1', "'=1+1"],
  ['+1', "'+1"],
  ['-2+3', "'-2+3"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['\t=1', "'\t=1"],
  ['\ra', "'\ra"],
  ['\na', "'\na"],
  ['  =1', "'  =1"],
  ['\u00A0=1', "'\u00A0=1"],
  ['＝1', "'＝1"],
  ['＋1', "'＋1"],
  ['－1', "'－1"],
  ['＠a', "'＠a"],
  ['a=1', 'a=1'],
  ["'=1", "'=1"],
  [' a', ' a'],
  ['3-1', '3-1'],
  ['', ''],
  ['a\u0000b\u001Bc\td\ne', 'a\uFFFDb\uFFFDc\td\ne'],
  ['\u0000=1', '\uFFFD=1'],
])('%j becomes %j', (given, expected) => expect(harmless(given)).toBe(expected));

test('a text never leaves its cell', () => {
  expect(text([['a"b', 'x",=1+1,"', 'a;=1', "=cmd|' /C calc'!A0\r\nnext"]])).toBe(
    '\uFEFF"a""b","x"",=1+1,""","a;=1","\'=cmd|\' /C calc\'!A0\r\nnext"\r\n',
  );
});

test('our own reader gets every cell back, a prefix apart, and no cell begins a formula', () => {
  const cell = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: fc.constantFrom('=', '+', '-', '@', '"', "'", ',', ';', '\t', '\r', '\n', ' ', 'a', 'é', '＝') }),
  );
  fc.assert(
    fc.property(fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 5 }), (rows) => {
      const bytes = Buffer.from(text(rows)).subarray(3);
      const read = parseCsv(bytes, 'x.csv').map(({ cells }) => cells);
      expect(read).toEqual(rows.map((row) => row.map(harmless)));
      for (const row of read) {
        row.forEach((found) => {
          expect(found).not.toMatch(/^\s*[=+\-@＝＋－＠]|^[\t\r\n]/);
        });
      }
    }),
  );
});
