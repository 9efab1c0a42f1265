/** Whatever a notebook has, as rows: shown, for arquero, for danfo.js. */
import * as aq from 'arquero';
import * as danfo from 'danfojs-node';
import fc from '../fast-check.js';
import { JSDOM } from 'jsdom';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import type { Result } from '../../lib/evaluate/results-file.js';
import { showTable, tableHtml, tableText } from '../../lib/figures/show-table.js';
import { rowsOf } from '../../lib/figures/tables/rows-of.js';
import { toDataFrame } from '../../lib/figures/tables/to-data-frame.js';
import { toTable } from '../../lib/figures/tables/to-table.js';
import { plainText } from '../../lib/figures/text.js';

const { DataFrame, Series } = 'DataFrame' in danfo ? danfo : (danfo as { default: typeof danfo }).default;

const results: Result[] = [
  { user: 'U', history: [4], target: 7, items: [1, 7], scores: [-1, -2] },
  { user: 'V', history: [4, 5], target: 9, items: [1, 7], scores: [-1, -2] },
];
const row = { user: 'U', history: [4, 5], target: 7 };
interface Report {
  rows: number;
  item: { 'HR@10': number };
}
const report: Report = { rows: 2, item: { 'HR@10': 0.25 } };
const big = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`item ${i}`, i]));
const circle: { name: string; self?: object } = { name: 'c' };
circle.self = circle;

test.each<[string, object, string[], unknown[][]]>([
  ['objects', [{ a: 1 }, { b: 'x' }], ['a', 'b'], [[1, undefined], [undefined, 'x']]],
  ['a report, nested', [report], ['rows', 'item.HR@10'], [[2, 0.25]]],
  ['one object', report, ['rows', 'item.HR@10'], [[2, 0.25]]],
  ['arrays', [[1, 'a'], [2]], ['0', '1'], [[1, 'a'], [2, undefined]]],
  ['numbers', [3, 4], ['value'], [[3], [4]]],
  ['mixed', ['a', null, { b: 1 }], ['value', 'b'], [['a', undefined], [null, undefined], [undefined, 1]]],
  ['a typed array', Float32Array.of(1.5, 2), ['value'], [[1.5], [2]]],
  ['vectors', [Float32Array.of(1.5, 2)], ['0', '1'], [[1.5, 2]]],
  ['a Map', new Map([['x', 1]]), ['key', 'value'], [['x', 1]]],
  ['a Set', new Set(['x']), ['value'], [['x']]],
  ['nothing', [], [], []],
  ['an arquero table, filtered and sorted', aq.table({ a: [3, 1, 2] }).filter('d => d.a > 1').orderby('a'), ['a'], [[2], [3]]],
  ['a danfo frame', new DataFrame([[1, 'x']], { columns: ['a', 'b'] }), ['a', 'b'], [[1, 'x']]],
  ['a danfo frame with an index', new DataFrame([[1], [2]], { columns: ['a'], index: ['min', 'max'] }), ['index', 'a'], [['min', 1], ['max', 2]]],
  ['a danfo series', new Series([1, 2]), ['value'], [[1], [2]]],
  ['rows of a data set', [row], ['user', 'history', 'length', 'target'], [['U', [4, 5], 2, 7]]],
  ['a data set', { name: 'd', items: [], train: [row], valid: [], test: [row] }, ['split', 'user', 'history', 'length', 'target'], [['train', 'U', [4, 5], 2, 7], ['test', 'U', [4, 5], 2, 7]]],
  ['results', results, ['user', 'history', 'length', 'target', 'rank', 'items', 'scores'], [['U', [4], 1, 7, 2, [1, 7], [-1, -2]], ['V', [4, 5], 2, 9, 0, [1, 7], [-1, -2]]]],
  ['bad cases', { rows: 9, modes: {}, ranks: [1], cases: [{ user: 'U', rank: 3 }] }, ['user', 'rank'], [['U', 3]]],
  ['a comparison of runs', { runs: [{ name: 'a' }], differences: [], curves: [] }, ['name'], [['a']]],
  ['curves', [{ name: 'a', lines: [{ step: 1, loss: 2 }] }, { name: 'b', lines: [{ step: 1 }] }], ['run', 'step', 'loss'], [['a', 1, 2], ['b', 1, undefined]]],
  ['a large nested object', [{ big, small: {} }], ['big', 'small'], [[big, {}]]],
  ['a circle', [circle], ['name', 'self'], [['c', circle]]],
  ['names twice', [{ a: { b: 1 }, 'a.b': 2 }], ['a.b', "a.b'"], [[1, 2]]],
  ['names of prototypes', [{ constructor: 1, ['__proto__']: 2 }, {}], ['constructor', "__proto__'"], [[1, 2], [undefined, undefined]]],
  ['objects of another realm', runInNewContext('[{ a: { b: 1 }, h: [1] }]') as object, ['a.b', 'h'], [[1, [1]]]],
])('rows of %s', (_, value, columns, cells) => {
  const found = rowsOf(value);
  expect(found.columns).toEqual(columns);
  expect(found.rows.map((row) => columns.map((name) => row[name]))).toEqual(cells);
  expect(found.total).toBe(cells.length);
  const table = toTable(value);
  expect(table.columnNames()).toEqual(columns);
  expect(columns.map((name) => Array.from(table.array(name)))).toEqual(columns.map((_, j) => cells.map((row) => row[j])));
  expect(tableText(value).length).toBeGreaterThanOrEqual(0);
}); // prettier-ignore

test('no name of a field reaches a prototype', () => {
  const [row] = rowsOf(JSON.parse('[{"__proto__": 2, "toString": 1}]') as object[]).rows;
  expect(Object.entries(row!)).toEqual([["__proto__'", 2], ['toString', 1]]); // prettier-ignore
});

test('only the first rows are looked at where only they are shown', () => {
  const many = Array.from({ length: 5 }, (_, i) => ({ [`c${i}`]: i }));
  expect(rowsOf(many, 2)).toMatchObject({ columns: ['c0', 'c1'], total: 5 });
  expect(tableText(many, { most: 2 })).toBe('c0  c1\n 0\n     1\n... 3 more');
  expect(
    tableText([Float32Array.from({ length: 45 }, (_, i) => i)])
      .split('\n')
      .at(-1),
  ).toBe('... 5 more columns');
});

test('one object is a row a field', () => {
  expect(tableText({ ...report, when: new Date(0), list: [1, 2], fn: () => 1, big })).toBe(
    'field       value\nrows        2\nitem.HR@10  0.2500\nwhen        1970-01-01T00:00:00.000Z\nlist        [1,2]\n' +
      `fn          [function]\nbig         ${JSON.stringify(big).slice(0, 59)}…`,
  );
});

test('cells: small numbers are not 0, whatever has no JSON has a text', () => {
  const cells = { small: 3e-5, zero: 0, whole: 2, missing: NaN, big: 12n, map: [new Map([[1, 2]])], typed: [Float32Array.of(0.5)] }; // prettier-ignore
  expect(tableText([cells])).toBe(
    ' small  zero  whole  missing  big  map        typed\n3.0e-5     0      2      NaN  12   [[[1,2]]]  [[0.5]]',
  );
  expect(tableText([circle])).toBe('name  self\nc     [object Object]');
});

test('ideographs take two columns of a terminal', () => {
  expect(tableText([{ title: '中文', n: 1 }, { title: 'abcd', n: 22 }])).toBe('title   n\n中文    1\nabcd   22'); // prettier-ignore
});

/** Any text, and texts of which much is markup. */
const strangers = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({
    unit: fc.constantFrom('<', '>', '&', '"', "'", 'b', '/', ';', 'lt', '\ud800', '\ufffe', '\0', '\n', '中'),
  }),
);

test('any text is once in a table: on one line, escaped in HTML', () => {
  const { document } = new JSDOM('<body></body>').window;
  fc.assert(
    fc.property(strangers, (text) => {
      document.body.innerHTML = tableHtml([{ [`c${text}`]: text }], { width: 99 });
      expect([...document.querySelectorAll('th, td')].map((cell) => cell.textContent)).toEqual(
        [`c${text}`, text].map((given) => plainText(given)),
      );
      expect(document.body.querySelectorAll('*')).toHaveLength(7); // table, head, body, two lines, two cells
      const lines = tableText([{ a: text }]).split('\n');
      expect(lines).toEqual(['a', plainText(text)]);
    }),
    { numRuns: 300 },
  );
});

test('data frames: numbers, texts and truth values; lists as text; what is missing', async () => {
  const frame = await toDataFrame([
    { user: 'U', history: [0, 1], names: ['long tail', 'cold'], loss: 1, whole: 1, yes: true, at: new Date(0) },
    { user: null, history: [2], names: ['cold'], loss: undefined, whole: 2, yes: false, at: new Date(1) },
  ]);
  expect(frame.columns).toEqual(['user', 'history', 'names', 'loss', 'whole', 'yes', 'at']);
  expect(frame.dtypes).toEqual(['string', 'string', 'string', 'float32', 'int32', 'boolean', 'string']);
  expect(frame.values).toEqual([
    ['U', '0 1', 'long tail, cold', 1, 1, true, '1970-01-01T00:00:00.000Z'],
    [null, '2', 'cold', NaN, 2, false, '1970-01-01T00:00:00.001Z'],
  ]);
  expect(frame['loss'].mean()).toBe(1);
});

test('a column of whole numbers whose hundredth is not', async () => {
  const frame = await toDataFrame([...Array<number>(100).fill(1), 1.5].map((loss) => ({ loss })));
  expect(frame.dtypes).toEqual(['float32']);
  expect(frame['loss'].max()).toBe(1.5);
});

test('there and back: arquero, danfo.js, rows', async () => {
  const table = toTable(results);
  expect(toTable(table)).toBe(table);
  const frame = await toDataFrame(table);
  expect(await toDataFrame(frame)).toBe(frame);
  expect(frame['rank'].values).toEqual([2, 0]);
  expect(toTable(frame).select('user', 'history', 'rank').objects()).toEqual([
    { user: 'U', history: '4', rank: 2 },
    { user: 'V', history: '4 5', rank: 0 },
  ]);
  expect(table.filter('d => d.rank === 0').array('user')).toEqual(['V']);
});

test('rows that can be had once: an iterator', () => {
  const rows = [{ a: 1 }, { a: 2 }];
  const once = (): Iterable<object> => new Map(rows.entries()).values();
  for (const table of [tableText, tableHtml]) expect(table(once())).toBe(table(rows));
});

test('showTable prints outside a notebook', () => {
  expect(() => showTable([])).not.toThrow();
});
