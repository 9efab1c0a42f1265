/** Times, names, texts and records: what single values become. */
import fc from '../fast-check.js';
import { describe, expect, test } from 'vitest';
import { parseColumns } from '../../lib/data/raw/columns.js';
import { plainText } from '../../lib/data/raw/html.js';
import { jsonMembers, parseJson } from '../../lib/data/raw/json-text.js';
import { cellsOf, detectDelimiter, RecordScanner } from '../../lib/data/raw/records.js';
import { timeOf } from '../../lib/data/raw/times.js';
import { nameOf, textOf } from '../../lib/data/raw/values.js';
import { cleanTitle } from '../../lib/data/filter/title.js';

describe('times', () => {
  const day = Date.UTC(2018, 9, 31) / 1000;
  test.each<[unknown, number]>([
    [day, day],
    [day * 1e3, day],
    [day * 1e6, day],
    [BigInt(day) * 1_000_000_000n, day],
    [`${day}000000000`, day],
    [` ${day}.5 `, day + 0.5],
    ['1.5409440e9', day],
    ['2018-10-31', day],
    ['2018-10-31 12:30', day + 45_000],
    ['2018-10-31T12:00:00.250Z', day + 43_200.25],
    ['2018-10-31T12:00:00+02:00', day + 36_000],
    ['2018-10-31 12:00:00 -0130', day + 48_600],
    ['2018-10-31 00:00:00 UTC', day],
    [new Date(day * 1e3), day],
    [0, 0],
    [-86_400, -86_400],
    [20_181_331, 20_181_331], // no date's digits
    [99_999_999_999, 99_999_999_999],
    [1e11, 1e8],
    [1e14, 1e8],
    [1e17, 1e8],
  ])('%s', (value, expected) => {
    expect(timeOf(value)).toBe(expected);
  });

  test.each<unknown>([
    ...[
      '',
      ' ',
      'soon',
      'true',
      '2018',
      true,
      false,
      null,
      undefined,
      NaN,
      Infinity,
      [],
      {},
      1e20,
      new Date(NaN),
    ].filter((value) => value !== '2018'),
    ...[20_181_031, '20181031', 201_810_311_230, 20_181_031_123_000, '2018-02-30', '2018-13-01', '2018-10-31x', '0x5b'],
  ])('%s is none', (value) => {
    expect(timeOf(value)).toBeUndefined();
  });

  test('every second since 1974 in every unit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 126_230_400, max: 4_102_444_800 }), (time) => {
        for (const unit of [1, 1e3, 1e6]) expect(timeOf(time * unit)).toBe(time);
        expect(timeOf(BigInt(time) * 1_000_000_000n)).toBeCloseTo(time, 3);
        expect(timeOf(new Date(time * 1e3).toISOString())).toBe(time);
      }),
    );
  });
});

test.each<[unknown, string | undefined]>([
  ['A1', 'A1'],
  [5, '5'],
  [9_007_199_254_740_991, '9007199254740991'],
  [9_007_199_254_740_992, undefined],
  [9_007_199_254_740_993n, '9007199254740993'],
  [1.5, undefined],
  [NaN, undefined],
  [true, undefined],
  ['', undefined],
  ['a b', undefined],
  ['a\u00a0b', undefined],
  ['a\ud800', undefined],
  ['a😀', 'a😀'],
])('the name %s', (value, expected) => {
  expect(nameOf(value)).toBe(expected);
});

test.each<[unknown, string | undefined]>([
  ['Home', 'Home'],
  [null, ''],
  [undefined, ''],
  [NaN, ''],
  [1984, '1984'],
  [['a', null, ['b', 2]], 'a, b, 2'],
  ["['Home', \"Men's\"]", "Home, Men's"],
  ['["Home", null, "Chairs"]', 'Home, Chairs'],
  ["[['a'], ['b', 'c']]", 'a, b, c'],
  ["['a'\n 'b']", 'a, b'],
  ['[]', ''],
  ['[Import]', '[Import]'],
  ["['a' b]", "['a' b]"],
  [{ name: 'q', id: 1, more: 'r' }, 'q, r'],
  ["{'name': 'q', 'id': 1}", 'q'],
  [true, undefined],
  [[true], undefined],
])('the text %j', (value, expected) => {
  expect(textOf(value, ', ')).toBe(expected);
});

test('a title is no object, and a year in brackets is no list', () => {
  expect(textOf({ en: 'Title' }, ' ', true)).toBeUndefined();
  expect(textOf('[1984]', ' ', true)).toBe('[1984]');
  expect(textOf("['The', 'Title']", ' ', true)).toBe('The Title');
  expect(textOf('{"en": "Title"}', ' ', true)).toBe('{"en": "Title"}');
});

test.each([
  ['Tom &amp; Jerry &quot;12&#39;&quot;', `Tom & Jerry "12'"`],
  ['<p>Fits all.<br />Even <b>yours</b>.</p>', 'Fits all. Even yours.'],
  ['H<sub>2</sub>O', 'H2O'],
  ['5 &lt; 6 &amp;&amp; x < y', '5 < 6 && x < y'],
  ['&amp;quot;twice&amp;quot;', '"twice"'],
  ['&lt;b&gt;Bold&lt;/b&gt;', 'Bold'],
  ['a<script>alert("<b>")</script>b<style>p{}</style><!-- <i> -->c', 'a b c'],
  ['AT&T, R&D, &unknown; &copy 2019', 'AT&T, R&D, &unknown; &copy 2019'],
  ['<6 ft>, <Unknown Artist>, <3', '<6 ft>, <Unknown Artist>, <3'],
  ['two  spaces', 'two  spaces'],
  ['caf&eacute;&nbsp;&nbsp;noir', 'café noir'],
  ['<a href="x?a=1&amp;b=2">link</a>', 'link'],
])('HTML: %s', (text, expected) => {
  expect(plainText(text)).toBe(expected);
});

test('plain text stays as it is', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }).filter((text) => !/[&<]/.test(text)),
      (text) => plainText(text) === text,
    ),
  );
});

test.each<[string, unknown]>([
  ['{"a": NaN, "b": [Infinity, -Infinity, "NaN", "Infinity\\""]}', { a: null, b: [null, null, 'NaN', 'Infinity"'] }],
  [
    '[9007199254740993, 9007199254740991, -9007199254740993]',
    ['9007199254740993', 9007199254740991, '-9007199254740993'],
  ],
  [
    '[1.0000000000000001, 12345678901234567e3, "9007199254740993", NaN]',
    [1, 12345678901234567e3, '9007199254740993', null],
  ],
])('JSON %s', (text, expected) => {
  expect(parseJson(text)).toEqual(expected);
});

describe('members of a file that is one object', () => {
  const members = (text: string) => [...jsonMembers(Buffer.from(text))].map(({ key, value }) => [key, value]);

  test('any object, in the order of JavaScript', () => {
    const key = fc.oneof(fc.nat(20).map(String), fc.string({ unit: 'grapheme', maxLength: 3 }));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(key, fc.jsonValue({ maxDepth: 2 }))),
        fc.constantFrom('', ' ', '\n\t'),
        (pairs, space) => {
          const text = `${space}{${pairs.map(([k, v]) => `${space}${JSON.stringify(k)}${space}:${JSON.stringify(v, null, space)}`).join(',')}${space}}${space}`;
          expect(members(text)).toEqual(Object.entries(parseJson(text) as object));
        },
      ),
    );
  });

  test.each([
    ['[1]', 'expected an object in line 1'],
    ['{"a": 1,\n"b": [1,\n2', 'the file is cut short in line 3'],
    ['{"a": 1,\n"b: 2}', 'the file is cut short in line 2'],
    ['{"a": 1,\n"b" 2}', 'expected a colon in line 2'],
    ['{"a": 1,\n}', 'expected a key in line 2'],
    ['{"a": [1 2]\n}', 'in line 1'],
    ['{"a": }', 'in line 1'],
    ['{"a": 1}\nx', 'expected the end of the file in line 2'],
  ])('%j is none', (text, expected) => {
    expect(() => members(text)).toThrow(expected);
  });
});

describe('records', () => {
  const read = (text: string, mark = ',', chunk = 1e9) => {
    const found: [cells: string[], line: number][] = [];
    const scanner = new RecordScanner('f', mark, (bytes, starts, count, line) => {
      found.push([cellsOf(bytes, starts, count), line]);
    });
    const lines = Buffer.from(text)
      .toString('latin1')
      .split(/(?<=\n)/);
    for (let i = 0; i < lines.length; i += chunk)
      scanner.scan(Buffer.from(lines.slice(i, i + chunk).join(''), 'latin1'));
    scanner.end();
    return found;
  };

  test('any table reads back, whatever its quotes, its delimiter and its blocks', () => {
    const cell = fc.string({
      unit: fc.constantFrom('a', 'é', '"', '\n', '\r', ' ', ',', '\t', ';', '|'),
      maxLength: 5,
    });
    const options = fc.record({
      records: fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 8 }),
      mark: fc.constantFrom(',', '\t', ';', '|'),
      all: fc.boolean(),
      end: fc.constantFrom('\n', '\r\n'),
      chunk: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(options, ({ records, mark, all, end, chunk }) => {
        const write = (text: string) =>
          all || /["\r\n]/.test(text) || text.includes(mark) ? `"${text.replaceAll('"', '""')}"` : text;
        const lines = records.map((cells) => cells.map(write).join(mark) + end);
        const starts = lines.map((_, i) => lines.slice(0, i).join('').split('\n').length);
        expect(read(lines.join(''), mark, chunk)).toEqual(records.map((cells, i) => [cells, starts[i]]));
      }),
      { numRuns: 500 },
    );
  });

  test.each<[string, string[]]>([
    ['5" pipe,x', ['5" pipe', 'x']],
    ['"Weird Al" Yankovic,x', ['"Weird Al" Yankovic', 'x']],
    ['x,"a ""b"" c" d', ['x', '"a "b" c" d']],
    ['"",""', ['', '']],
    [',', ['', '']],
  ])('%s', (text, cells) => {
    expect(read(`${text}\n`)).toEqual([[cells, 1]]);
    expect(read(`${text}\r\n`)).toEqual([[cells, 1]]);
  });

  test('a quote that is not closed is named by its own line, also where a later quote seems to close it', () => {
    expect(() => read('a,b\nc,"d\n' + 'x,y\n'.repeat(9))).toThrow('f:2: a quote in this record is not closed');
    expect(() => read('a,b\nc,"d\ne,f "g" h\n')).toThrow('f:2: a quote in this record is not closed');
    expect(() => read('a,b\n"c\nd","e\nx,y\n')).toThrow('f:3: a quote in this record is not closed');
  });

  test('a stray quote costs time by the length of the file: 8 times as long, nowhere near 64 times the time', () => {
    const attempt = (lines: number) => {
      const text = 'a,b\nc,"d\n' + 'x,y\n'.repeat(lines);
      const bytes = Buffer.from(text);
      const start = process.cpuUsage();
      for (let i = 0; i < 5; i++) {
        const scanner = new RecordScanner('f', ',', () => undefined);
        for (let at = 0; at < bytes.length; at += 4000) scanner.scan(bytes.subarray(at, at + 4000));
        expect(() => scanner.end()).toThrow('f:2:');
      }
      return process.cpuUsage(start).user / 1e6;
    };
    attempt(40_000);
    expect(attempt(320_000)).toBeLessThan(24 * Math.max(attempt(40_000), 0.01));
  });

  test.each([
    ['a,b', ','],
    ['a\tb,c,d', '\t'],
    ['a;b,c;d', ';'],
    ['who;x,what,when', ','],
    ['"a,b,c"|d', '|'],
    ['one', ''],
  ])('the delimiter of %j', (line, expected) => {
    expect(detectDelimiter(line)).toBe(expected);
  });
});

test('columns whose names hold = and commas', () => {
  expect(parseColumns('user=a=b,item=x,y,time=2')).toEqual({ user: 'a=b', item: 'x,y', time: 2 });
  for (const wrong of ['users=a', 'user', 'user=', '=a', ''])
    expect(() => parseColumns(wrong)).toThrow('expected columns');
});

test('blanks in a title cost time by their number', () => {
  const title = `a${' '.repeat(1e6)}b`;
  const start = process.cpuUsage();
  expect(cleanTitle(title)).toBe(title);
  expect(cleanTitle(`a${' \t'.repeat(1e6)}b `)).toBe('a b');
  expect(process.cpuUsage(start).user / 1e6).toBeLessThan(3);
});
