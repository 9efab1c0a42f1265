/** Raw files that are easily read wrongly, through `filterStage`, `readCatalogue` and `readInteractions`. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as aq from 'arquero';
import fc from '../fast-check.js';
import { afterAll, describe, expect, test } from 'vitest';
import { withoutDuplicates } from '../../lib/data/filter/duplicates.js';
import { filterInteractions } from '../../lib/data/filter/filter.js';
import type { FilterStageOptions } from '../../lib/data/filter/filter-options.js';
import { filterStage } from '../../lib/data/filter/filter-stage.js';
import { formatItems, readItems } from '../../lib/data/item-file.js';
import { loadDataset } from '../../lib/data/load.js';
import { readCatalogue } from '../../lib/data/raw/catalogue.js';
import type { ColumnMap } from '../../lib/data/raw/columns.js';
import { detectMetadata, detectReviews } from '../../lib/data/raw/formats.js';
import { InteractionsBuilder, interactionsTable } from '../../lib/data/raw/interactions.js';
import { readInteractions } from '../../lib/data/raw/read-interactions.js';

const dir = mkdtempSync(join(tmpdir(), 'sidlab-'));
afterAll(() => rmSync(dir, { recursive: true }));
let count = 0;
function file(content: string | Uint8Array, ending = 'txt'): string {
  const path = join(dir, `file-${count++}.${ending}`);
  writeFileSync(path, content);
  return path;
}
const rows = async (path: string, columns: ColumnMap = {}) =>
  interactionsTable(await readInteractions(path, { columns })).objects() as object[];
const titles = async (path: string, columns: ColumnMap = {}, options = {}) =>
  (await readCatalogue(path, undefined, columns, options)).items.map(({ asin, title }) => `${asin} ${title}`);

describe('times that are none are refused by every reader, with the line', () => {
  const csv = (time: string) => `user,item,time\nU,A,5\nU,B,${time}\n`;
  const json = (time: string) =>
    `{"reviewerID": "U", "asin": "A", "unixReviewTime": 5}\n{"reviewerID": "U", "asin": "B", "unixReviewTime": ${time}}\n`;
  const lines = (time: string) =>
    json(time)
      .replaceAll('reviewerID', 'user_id')
      .replaceAll('asin', 'parent_asin')
      .replaceAll('unixReviewTime', 'timestamp');
  test.each<[string, string, string]>([
    ['an empty cell', csv(''), '""'],
    ['true in CSV', csv('true'), '"true"'],
    ["a date's digits in CSV", csv('20181031'), '"20181031"'],
    ['a day that is none', csv('2018-02-30'), '"2018-02-30"'],
    ['an empty text', json('""'), '""'],
    ['true', json('true'), 'true'],
    ["a date's digits", json('20181031'), '20181031'],
    ['null', json('null'), 'null'],
    ["2023's digits", lines('"20181031"'), '"20181031"'],
  ])('%s', async (_, content, got) => {
    const path = file(content);
    const line = content.startsWith('user') ? 3 : 2;
    const expected = `${path}:${line}: expected `;
    await expect(readInteractions(path)).rejects.toThrow(expected);
    await expect(readInteractions(path)).rejects.toThrow('to be a time (seconds, ms, us or ns since 1970');
    await expect(readInteractions(path)).rejects.toThrow(`got ${got};`);
  });
});

test('a unit is detected in the lines of either year', async () => {
  for (const unit of ['', '000', '000000', '000000000']) {
    const time = `1500000000${unit}`;
    const [old, recent] = [
      file(`{"reviewerID": "U", "asin": "A", "unixReviewTime": ${time}}\n`),
      file(`{"user_id": "U", "parent_asin": "A", "timestamp": ${time}}\n`),
    ];
    for (const path of [old, recent])
      expect(await rows(path)).toEqual([{ user: 'U', asin: 'A', stars: 0, time: 1.5e9 }]);
  }
});

test('Parquet: types of times, ids and texts', async () => {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const write = async (select: string) => {
    const path = join(dir, `types-${count++}.parquet`);
    await connection.run(`COPY (SELECT ${select}) TO '${path}' (FORMAT parquet)`);
    return path;
  };
  const noon = Date.UTC(2018, 9, 31, 12) / 1000;
  for (const time of [
    ...[
      "TIMESTAMP '2018-10-31 12:00:00'",
      "TIMESTAMPTZ '2018-10-31 14:00:00+02'",
      "TIMESTAMP_NS '2018-10-31 12:00:00'",
    ],
    ...[
      "TIMESTAMP_S '2018-10-31 12:00:00'",
      "TIMESTAMP_MS '2018-10-31 12:00:00'",
      `${noon}::BIGINT`,
      `${noon}::DOUBLE`,
    ],
    ...[`${noon}000::BIGINT`, `${noon}000000::BIGINT`, `${noon}000000000::BIGINT`, `${noon}::DECIMAL(18, 2)`],
    ...["'2018-10-31 12:00:00'", "encode('2018-10-31T12:00:00Z')", "DATE '2018-10-31' + INTERVAL 12 HOUR"],
  ]) {
    const path = await write(`9007199254740993 AS user_id, 7::DOUBLE AS item_id, ${time} AS timestamp, NULL AS rating`);
    expect(await rows(path), time).toEqual([{ user: '9007199254740993', asin: '7', stars: 0, time: noon }]);
  }
  // Typed as a time: what would be a date's digits is a moment of 1970.
  const early = await write("1 AS user, 2 AS item, TIMESTAMP '1970-08-22 13:50:31' AS time");
  expect(await rows(early)).toMatchObject([{ time: 20_181_031 }]);
  for (const time of ['true', "''", 'NULL', '20181031', "'nan'::DOUBLE", "TIME '12:00:00'"]) {
    const path = await write(`1 AS user, 2 AS item, ${time} AS time`);
    await expect(readInteractions(path), time).rejects.toThrow(`${path}: row 1: expected time to be a time`);
  }
  const item = await write(
    "'a'::ENUM('a', 'b') AS item, 1.50::DECIMAL(5, 2) AS title, {'name': 'q', 'id': 1} AS brand, " +
      "MAP {'x': 'c1', 'y': 'c2'} AS categories, 'nan'::DOUBLE AS description, [encode('é'), NULL] AS features",
  );
  expect((await readCatalogue(item)).items).toEqual([
    { asin: 'a', title: '1.50', description: 'é', brand: 'q', categories: 'c1, c2' },
  ]);
  const folder = join(dir, 'item=9'); // no partition
  mkdirSync(folder);
  await connection.run(`COPY (SELECT 'a' AS item, 't' AS title) TO '${join(folder, 'part.parquet')}' (FORMAT parquet)`);
  expect(await titles(join(folder, 'part.parquet'))).toEqual(['a t']);
  expect(await titles(folder)).toEqual(['a t']);
  const broken = await write("'a' AS item, {'en': 'x'} AS title");
  await expect(readCatalogue(broken)).rejects.toThrow(
    'row 1: expected title to be text or an array of texts, got {"en":"x"}',
  );
  connection.closeSync();
  await expect(readInteractions(join(dir, 'none.parquet'))).rejects.toThrow('none.parquet: no such file');
});

describe('detection', () => {
  test.each<[string, string, 'reviews' | 'meta']>([
    ['amazon-2018', '{"helpful": [2, 3], "reviewerID": "U", "asin": "A", "unixReviewTime": 5}', 'reviews'],
    ['amazon-2018', '{"style": {"asin": ["x"]}, "asin": "A", "reviewerID": "U"}', 'reviews'],
    ['amazon-2023', '{"images": [{"a": 1}], "user_id": "U", "parent_asin": "A", "timestamp": 5}', 'reviews'],
    ['inter-json', '{"asin_fan": [1, 2]}', 'reviews'],
    ['inter-json', '{\n  "0": [1, 2]\n}', 'reviews'],
    ['amazon-2018', '{"details": {"a": 1}, "parent_asin": "A", "title": "T"}', 'meta'],
    ['amazon-2018', '{"category": ["a"], "asin": "A"}', 'meta'],
    ['inter-json', '{"0": {"asin": "A", "title": "T"}}', 'meta'],
    ['csv', 'item|title', 'meta'],
    ['csv', 'item;title', 'meta'],
    ['movielens', '1|Toy Story (1995)|01-Jan-1995', 'meta'],
  ])('%s: %s', async (format, line, kind) => {
    for (const bytes of [Buffer.from(`${line}\n`), Buffer.from(`\ufeff${line}\n`), Buffer.from(line, 'utf16le')]) {
      const path = file(bytes);
      expect(await (kind === 'reviews' ? detectReviews(path) : detectMetadata(path))).toBe(format);
    }
  });

  test('rows that are split already are refused with the way that works', async () => {
    for (const header of [
      'user_id:token\titem_id_list:token_seq\titem_id:token',
      'user_id,history_item_title,item_title,history_item_id,item_id,history_item_sid,item_sid',
    ]) {
      await expect(readInteractions(file(`${header}\n`))).rejects.toThrow(
        /:1: expected interactions, got rows that are already filtered and split .*skip filter: put NAME\.item\.json/,
      );
    }
  });
});

describe('headers', () => {
  test('items without one keep the first', async () => {
    const bare = 'i0,Zero\ni1,One\n';
    for (const columns of [{ item: 0, title: 1 }]) {
      expect(await titles(file(bare), columns)).toEqual(['i0 Zero', 'i1 One']);
      expect(await titles(file(bare.replaceAll(',', ';')), columns)).toEqual(['i0 Zero', 'i1 One']);
      expect(await titles(file(`item,title\n${bare}`), columns)).toEqual(['i0 Zero', 'i1 One']);
    }
    await expect(readCatalogue(file(bare))).rejects.toThrow('expected a column item, got i0, Zero; name it with');
  });

  test('places of interactions without a header do not count in an item file with one', async () => {
    const meta = file('title,item\nZero,i0\nOne,i1\n');
    const columns = { user: 0, item: 1, time: 2 };
    expect(await titles(meta, columns, { shared: true })).toEqual(['i0 Zero', 'i1 One']);
    expect(await titles(file('title,item,kind\nZero,i0,i9\n'), { item: 2, title: 0 })).toEqual(['i9 Zero']);
    const reviews = file('U,i0,5\nU,i1,6\nU,i0,7\n');
    const options = { reviews, meta, out: join(dir, 'H'), dataset: 'H', userK: 1, itemK: 1, columns };
    expect(await filterStage(options)).toMatchObject({ items: 2, interactions: 3 });
    const own = { ...options, meta: file('Zero,i0\nOne,i1\n'), metaColumns: 'item=1,title=0' };
    expect(await filterStage(own)).toMatchObject({ items: 2, interactions: 3 });
    expect((await loadDataset(join(dir, 'H'))).items.map(({ title }) => title)).toEqual(['Zero', 'One']);
  });

  test('a header is passed over also where places are given; columns named a=b', async () => {
    expect(await rows(file('user_id,item_id\nU,A\n'), { user: 0, item: 1 })).toHaveLength(1);
    expect(await rows(file('a=b\tc,d\nU\tA\n'), { user: 'a=b', item: 'c,d' })).toMatchObject([
      { user: 'U', asin: 'A' },
    ]);
  });
});

test('whole numbers as ids in JSON lines are their digits', async () => {
  const line = (id: string) => `{"reviewerID": ${id}, "asin": ${id}, "unixReviewTime": 5}`;
  const path = file([line('1'), line('9007199254740992'), line('9007199254740993'), line('"1"')].join('\n'));
  expect((await rows(path)).map((row) => (row as { user: string }).user)).toEqual([
    ...['1', '9007199254740992', '9007199254740993', '1'],
  ]);
  await expect(rows(file(line('1.5')))).rejects.toThrow(':1: expected reviewerID to be text without spaces, got 1.5');
  const halves = file(`${line('"a\\ud800"')}\n${line('"a\\ud801"')}\n`);
  await expect(rows(halves)).rejects.toThrow(':1: expected reviewerID to be text without spaces');
});

describe('tables in memory', () => {
  const items = ['A', 'B'].map((asin) => ({ asin, title: asin, description: '', brand: '', categories: '' }));
  const options = { userK: 1, itemK: 1 };
  const days = [1, 2, 3].map((day) => new Date(Date.UTC(2024, 0, day)));

  test('Date columns, numbers and bigints; no dates are dropped', () => {
    const table = aq.table({ user: [7, 7, 7], asin: ['A', 'B', 'A'], time: days });
    const filtered = filterInteractions(table, items, options);
    expect(filtered.counts).toMatchObject({ interactions: 3, dates: { from: 'any', to: 'any' } });
    expect(filtered.test[0]).toEqual({ user: '7', history: [0, 1], target: 0 });
    const millis = aq.table({ user: [7n, 7n, 7n], asin: ['A', 'B', 'A'], time: days.map(Number) });
    expect(filterInteractions(millis, items, options)).toEqual(filtered);
    const bounded = { ...options, from: '2024-01', to: '2024-01' };
    expect(filterInteractions(millis, items, bounded).counts.interactions).toBe(3);
  });

  test.each<[string, object, string]>([
    ['no time', { user: ['U'], asin: ['A'] }, 'review 1: expected time to be a time'],
    ['a number that is no id', { user: [2 ** 53], asin: ['A'], time: [5] }, 'review 1: expected user to be text'],
    ['no item', { user: ['U', 'U'], asin: ['A', null], time: [5, 6] }, 'review 2: expected asin to be text'],
  ])('%s', (_, columns, expected) => {
    expect(() => filterInteractions(aq.table(columns), items, options)).toThrow(expected);
  });

  test('the dates of Amazon files up to 2018 are the stage’s', async () => {
    const line = (item: string, time: number) => `{"reviewerID": "U", "asin": "${item}", "unixReviewTime": ${time}}`;
    const path = file([line('A', 8e8), line('B', 9e8), line('A', 1.5e9), line('B', 1.6e9)].join('\n'));
    const meta = file('{"asin": "A", "title": "A"}\n{"asin": "B", "title": "B"}\n');
    const stage = await filterStage({ reviews: path, meta, out: join(dir, 'D'), dataset: 'D', ...options });
    expect(stage).toMatchObject({ interactions: 2, dates: { from: '1996-10', to: '2018-10' } });
    const { counts } = filterInteractions(await readInteractions(path), await readCatalogue(meta), options);
    expect(stage).toMatchObject(counts);
  });
});

test('HTML out of raw texts, counted; published item files stay as they are', async () => {
  const raw = { title: 'Tom &amp; Jerry', description: '<p>One<br>Two</p>', brand: 'H&amp;M', categories: 'A &gt; B' };
  const lines = [
    { asin: 'A', ...raw, category: [raw.categories] },
    { asin: 'B', title: 'Plain', description: ['x < y'] },
    { asin: 'C', title: 'A <b>bold</b> title' },
    { asin: 'D', title: '&nbsp;' },
  ];
  const reviews = file(
    ['user,item,time', ...['A', 'B', 'A', 'B', 'C', 'D'].map((item, i) => `U,${item},${1.5e9 + i}`)].join('\n'),
  );
  const stage = (meta: string, options: Partial<FilterStageOptions> = {}) =>
    filterStage({ reviews, meta, out: join(dir, 'P'), dataset: 'P', userK: 1, itemK: 1, ...options });
  const meta = file(lines.map((line) => JSON.stringify(line)).join('\n'));
  const report = await stage(meta);
  expect(report.html).toEqual({ titles: 1, descriptions: 1, brands: 1, categories: 1 });
  expect(report.removed).toMatchObject({ titlesWithMarkup: 1, itemsWithoutTitle: 1 });
  expect((JSON.parse(readFileSync(join(dir, 'P/P.stats.json'), 'utf8')) as typeof report).html).toEqual(report.html);
  const plain = { title: 'Tom & Jerry', description: 'One Two', brand: 'H&M', categories: 'A > B' };
  expect((await loadDataset(join(dir, 'P'))).items).toEqual([
    plain,
    { title: 'Plain', description: 'x < y', brand: '', categories: '' },
  ]);
  expect((await stage(meta, { plainText: false })).html.titles).toBe(0);
  expect((await loadDataset(join(dir, 'P'))).items[0]).toEqual(raw);
  const published = file(JSON.stringify({ A: raw, B: { title: 'Plain' } }));
  expect((await stage(published)).html.titles).toBe(0);
  expect((await loadDataset(join(dir, 'P'))).items[0]).toEqual(raw);
  expect((await stage(published, { plainText: true })).html.titles).toBe(1);
});

test('duplicates: the first of each user, item and time, as a plain list of keys finds them', () => {
  const review = fc.tuple(fc.nat(4), fc.nat(4), fc.constantFrom(0, -0, 1, 1.5, 86_400, 2 ** 32, -1));
  fc.assert(
    fc.property(fc.array(review, { maxLength: 200 }), fc.nat(3), (reviews, skip) => {
      const builder = new InteractionsBuilder();
      for (const [user, item, time] of reviews) builder.add(user, item, time, 0);
      const kept = Int32Array.from(reviews.keys()).filter((e) => e % 4 >= skip);
      const keys = new Set<string>();
      const first = [...kept].filter((e) => {
        const key = reviews[e]!.map((part) => part + 0).join();
        return keys.size < keys.add(key).size;
      });
      expect([...withoutDuplicates(builder.done(), kept)]).toEqual(first);
    }),
    { numRuns: 300 },
  );
});

test('a user with one interaction left gives no row, also where the core asks for one', () => {
  const items = ['A', 'B', 'C'].map((asin) => ({ asin, title: asin, description: '', brand: '', categories: '' }));
  // V buys C alone with A; C falls below the items' core, and V is left with one.
  const bought: [string, string][] = [...'AABB'].map((item) => ['U', item]);
  const reviews = [...bought, ['V', 'A'] as const, ['V', 'C'] as const].map(([user, asin], i) => ({
    user,
    asin,
    time: i,
  }));
  const { counts } = filterInteractions(reviews, items, { userK: 1, itemK: 2 });
  expect(counts).toMatchObject({ users: 1, items: 2, interactions: 4, removed: { usersBelowK: 1, itemsBelowK: 1 } });
});

test('one name of a megabyte does not cost every user as much', async () => {
  const long = 'x'.repeat(1 << 20);
  const lines = Array.from({ length: 20_000 }, (_, user) => [`U${user},A,${2 * user}`, `U${user},B,${2 * user + 1}`]);
  const reviews = file(['user,item,time', ...lines.flat(), `${long},A,1`, `${long},B,2`].join('\n'));
  const out = join(dir, 'long');
  expect(await filterStage({ reviews, out, dataset: 'L', split: 'leave-one-out', userK: 1, itemK: 1 })).toMatchObject({
    users: 20_001,
  });
  const users = readFileSync(join(out, 'L.test.inter'), 'utf8')
    .split('\n')
    .map((line) => line.split('\t')[0]!.length);
  expect(Math.max(...users)).toBe(long.length);
  const broken = file(`user,item,time\nU,A,${long}\n`);
  await expect(readInteractions(broken)).rejects.toThrow(/:2: .{150,400}$/);
});

test('item files: the bytes of JSON.stringify, read back whatever the texts', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 6 });
  const item = fc.record({ title: text.map((title) => `t${title}`), description: text, brand: text, categories: text });
  fc.assert(
    fc.property(fc.array(item, { maxLength: 12 }), (items) => {
      const whole = JSON.stringify(Object.fromEntries(items.map((one, id) => [id, one])), null, 2) + '\n';
      expect(formatItems(items)).toBe(whole);
      if (items.length > 0) expect(readItems(file(whole))).toEqual(items);
    }),
    { numRuns: 50 },
  );
});
