import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { filterStage } from '../../lib/data/filter/filter-stage.js';
import { loadDataset } from '../../lib/data/load.js';
import { readCatalogue } from '../../lib/data/raw/catalogue.js';
import { type RawFormat } from '../../lib/data/raw/format-names.js';
import { detectReviews } from '../../lib/data/raw/formats.js';
import { interactionsTable } from '../../lib/data/raw/interactions.js';
import { parsePythonLiteral } from '../../lib/data/raw/python-dict.js';
import { readInteractions } from '../../lib/data/raw/read-interactions.js';
import { readIndex } from '../../lib/data/sid-index.js';

const dir = mkdtempSync(join(tmpdir(), 'sidlab-'));
afterAll(() => rmSync(dir, { recursive: true }));
const shared = join(import.meta.dirname, '../../../shared/data');
const here = existsSync(shared);
if (!here) console.warn('skipped: the real data (../shared/data) are not here'); // eslint-disable-line no-console

function file(name: string, content: string | Uint8Array): string {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
}
const rows = async (path: string, options = {}) => interactionsTable(await readInteractions(path, options)).objects();
const message = (attempt: Promise<unknown>) =>
  attempt.then(
    () => 'no error',
    (error: Error) => error.message,
  );

/** Two interactions of a user; what every format below holds. */
const TWO = [
  { user: '196', asin: '242', stars: 3, time: 881250949 },
  { user: '196', asin: '302', stars: 4.5, time: 891717742 },
];

const SHAPES: [name: string, format: RawFormat, content: string][] = [
  [
    'reviews_2014.json',
    'amazon-2018', // 2014's fields are the same
    `{"reviewerID": "196", "asin": "242", "reviewerName": "J. McDonald", "helpful": [2, 3], "reviewText": "I bought \\"this\\"...", "overall": 3.0, "summary": "Heavenly", "unixReviewTime": 881250949, "reviewTime": "09 13, 2009"}
{"reviewerID": "196", "asin": "302", "helpful": [0, 0], "reviewText": "", "overall": 4.5, "summary": "", "unixReviewTime": 891717742, "reviewTime": "09 13, 2009"}
`,
  ],
  [
    'reviews_2018.json',
    'amazon-2018',
    `{"overall": 3.0, "vote": "25", "verified": false, "reviewTime": "12 19, 2008", "reviewerID": "196", "asin": "242", "style": {"Format:": " Hardcover"}, "reviewerName": "x", "reviewText": "caf\\u00e9", "summary": "s", "unixReviewTime": 881250949}
{"overall": 4.5, "verified": true, "reviewerID": "196", "asin": "302", "image": ["https://a.example/b.jpg"], "unixReviewTime": 891717742}`,
  ],
  [
    'reviews_2023.jsonl',
    'amazon-2023',
    `{"rating": 3.0, "title": "Such a lovely scent", "text": "It's 5\\" long", "images": [], "asin": "B00YQ6X8EO", "parent_asin": "242", "user_id": "196", "timestamp": 881250949000, "helpful_vote": 0, "verified_purchase": true}
{"rating": 4.5, "title": "x", "text": "", "images": [{"small_image_url": "https://a.example/c.jpg"}], "asin": "B081TJ8YS3", "parent_asin": "302", "user_id": "196", "timestamp": 891717742000, "helpful_vote": 2, "verified_purchase": true}
`,
  ],
  ['u.data', 'movielens', '196\t242\t3\t881250949\n196\t302\t4.5\t891717742\n'],
  ['ratings.dat', 'movielens', '196::242::3::881250949\n196::302::4.5::891717742\n'],
  ['ratings.csv', 'movielens', 'userId,movieId,rating,timestamp\r\n196,242,3.0,881250949\r\n196,302,4.5,891717742\r\n'],
  [
    'ml.inter',
    'recbole',
    'user_id:token\titem_id:token\trating:float\ttimestamp:float\n196\t242\t3\t8.81250949e8\n196\t302\t4.5\t891717742\n',
  ],
  [
    'usual.csv',
    'csv',
    'item_id,note,rating,user_id,timestamp\n242,"a, ""quoted"" note\n\nof three lines",3,196,1997-12-04 15:55:49\n302,,4.5,196,891717742000\n',
  ],
];

describe.each(SHAPES)('%s', (name, format, content) => {
  test('is detected, and read, plain and packed', async () => {
    for (const path of [file(name, content), file(`${name}.gz`, gzipSync(content))]) {
      expect(await detectReviews(path)).toBe(format);
      expect(await rows(path)).toEqual(TWO);
      expect(await rows(path, { format })).toEqual(TWO);
    }
  });

  test('a last line that is cut off is reported by file and line', async () => {
    const lines = content.trimEnd().split('\n').length;
    const off = name === 'usual.csv' ? 20 : format.startsWith('amazon') ? 26 : 14;
    const cut = file('cut', content.trimEnd().slice(0, -off));
    expect(await message(readInteractions(cut, { format }))).toMatch(new RegExp(`cut:${lines}: .*(mend|write|remove)`));
  });
});

test.each(SHAPES)(
  'a map of columns for %s is used, or refused where fields have names of their own',
  async (name, format, content) => {
    const path = file(`map ${name}`, content);
    const table = content.split('\n', 1)[0]!.match(/^[\w:]+[\t,]/) !== null && name !== 'u.data';
    const columns = format === 'movielens' ? { item: 'userId' } : { item: 'user_id' };
    if (table) expect((await rows(path, { columns })).map((row) => (row as { asin: string }).asin)).toEqual(['196', '196']);
  else expect(await message(readInteractions(path, { columns }))).toContain(`${path}: expected a table (csv, recbole, parquet) for columns such as item=user_id, got ${format}; leave --columns out`.replace('user_id', columns.item)); // prettier-ignore
  },
);

test('a map of columns for item texts, likewise', async () => {
  const line = '{"asin": "A", "title": "T", "name": "N"}\n';
  for (const [name, content, format] of [
    ['m.jsonl', line, 'amazon-2018'],
    ['m.item.json', '{"A": {"title": "T"}}', 'inter-json'],
    ['u.item', '1|T (1995)|01-Jan-1995||x|0|1\n', 'movielens'],
    ['movies.csv', 'movieId,title,genres\n1,T,x\n', 'movielens'],
  ] as const) {
    const path = file(name, content);
    expect(await message(readCatalogue(path, undefined, { title: 'name' }))).toContain(`for columns such as title=name, got ${format}`); // prettier-ignore
    // those of the interactions, which are shared, are not meant for it
    expect((await readCatalogue(path, undefined, { user: 'who' }, { shared: true })).items).toHaveLength(1);
  }
});

test('csv with a map of columns, by name and by place; no times is an order', async () => {
  const named = file('shop.csv', 'who;x,what,when\nU1,A,2020-01-02\nU1,B,2020-01-01\n');
  const columns = { user: 'who;x', item: 'what', time: 'when' };
  expect(await rows(named, { columns })).toEqual([
    { user: 'U1', asin: 'A', stars: 0, time: Date.UTC(2020, 0, 2) / 1000 },
    { user: 'U1', asin: 'B', stars: 0, time: Date.UTC(2020, 0, 1) / 1000 },
  ]);
  const bare = file('bare.csv', 'A,U1\nB,U1\n');
  const data = await readInteractions(bare, { columns: { user: 1, item: 0 } });
  expect([data.length, data.timed, data.itemNames.list()]).toEqual([2, false, ['A', 'B']]);
  expect(await message(readInteractions(bare))).toContain(
    'bare.csv:1: expected a column user, got A, U1; name it with --columns user=NAME',
  );
  expect(await message(readInteractions(file('odd.txt', 'hello\n')))).toContain(
    'odd.txt:1: expected one of amazon-2014',
  );
});

test('parquet', async () => {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const path = join(dir, 'shop.parquet');
  await connection.run(
    `COPY (SELECT * FROM (VALUES (196, '242', 3.0, to_timestamp(881250949)::TIMESTAMP), (196, '302', 4.5, to_timestamp(891717742)::TIMESTAMP)) t(customer, sku, rating, bought)) TO '${path}' (FORMAT parquet)`,
  );
  const meta = join(dir, 'items.parquet');
  await connection.run(
    `COPY (SELECT '242' AS sku, 'Kolya' AS title, ['A', 'B'] AS genres) TO '${meta}' (FORMAT parquet)`,
  );
  connection.closeSync();
  const columns = { user: 'customer', item: 'sku', time: 'bought' };
  expect(await rows(path, { columns })).toEqual(TWO);
  expect(await message(readInteractions(path))).toContain('expected a column user, got customer, sku, rating, bought');
  expect((await readCatalogue(meta, undefined, columns)).items).toEqual([
    { asin: '242', title: 'Kolya', description: '', brand: '', categories: 'A, B' },
  ]);
  expect(await message(readInteractions(file('no.parquet', 'nothing')))).toContain(
    'no.parquet: cannot be read as Parquet',
  );
});

const KOLYA = { asin: '242', title: 'Kolya', description: 'It\'s "it".', brand: 'B', categories: 'Comedy, Drama' };
test.each([
  [
    '2014',
    `{'asin': '242', 'description': 'It\\'s "it".', 'title': u'Kolya', 'price': 7.5, 'related': {'also_bought': ['1', '2']}, 'salesRank': {'Beauty': 1}, 'brand': "B", 'categories': [['Comedy', 'Drama']], 'x': None}\n`,
  ],
  [
    '2014 json',
    `{"asin": "242", "description": "It's \\"it\\".", "title": "Kolya", "brand": "B", "categories": [["Comedy"], ["Drama"]]}\n`,
  ],
  [
    '2018',
    `{"category": ["Comedy", "Drama"], "description": ["It's", "\\"it\\"."], "title": "Kolya", "brand": "B", "asin": "242", "rank": []}\n`,
  ],
  [
    '2023',
    `{"main_category": "All", "title": "Kolya", "average_rating": 4.8, "features": ["f"], "description": ["It's \\"it\\"."], "price": null, "store": "B", "categories": ["Comedy", "Drama"], "details": {}, "parent_asin": "242"}\n`,
  ],
  [
    'item.json',
    JSON.stringify({ 242: { title: 'Kolya', description: 'It\'s "it".', brand: 'B', categories: 'Comedy, Drama' } }),
  ],
  ['csv', 'item_id,title,description,brand,categories\n242,Kolya,"It\'s ""it"".",B,"Comedy, Drama"\n'],
  [
    'item',
    'item_id:token\ttitle:token_seq\tdescription:token_seq\tbrand:token\tcategories:token_seq\n242\tKolya\tIt\'s "it".\tB\tComedy, Drama\n',
  ],
])('item texts: %s', async (name, content) => {
  const format = { 'item.json': 'inter-json', csv: 'csv', item: 'recbole' }[name] ?? 'amazon-2018';
  for (const path of [file(`meta.${name}`, content), file(`meta.${name}.gz`, gzipSync(content))]) {
    expect(await readCatalogue(path)).toEqual({ items: [KOLYA], duplicates: 0, format });
  }
});

test('movies: u.item in Latin-1, movies.dat, movies.csv', async () => {
  const movie = {
    asin: '543',
    title: 'Misérables, Les (1995)',
    description: '',
    brand: '',
    categories: 'Drama, Musical',
  };
  const flags = Array.from({ length: 19 }, (_, genre) => (genre === 8 || genre === 12 ? 1 : 0)).join('|');
  const bars = Buffer.from(`543|${movie.title}|01-Jan-1995||http://a.example/|${flags}\n`, 'latin1');
  expect((await readCatalogue(file('u.item', bars))).items).toEqual([movie]);
  expect((await readCatalogue(file('movies.dat', `543::${movie.title}::Drama|Musical\n`))).items).toEqual([movie]);
  const csv = file('movies.csv', `movieId,title,genres\n543,"${movie.title}","Drama, Musical"\n`);
  expect((await readCatalogue(csv)).items).toEqual([movie]);
});

test('Python literals', () => {
  expect(parsePythonLiteral(`{'a': [1, -2.5e3, (True, None)], "b": {'c': 'd\\'\\u00e9\\n'}, 'e': [],}`)).toEqual({
    a: [1, -2500, [true, null]],
    b: { c: "d'é\n" },
    e: [],
  });
  for (const broken of [`{'a': }`, `{'a' 1}`, `{'a': 1`, `{'a': __import__('os')}`, `{'a': 1} x`, '']) {
    expect(parsePythonLiteral(broken)).toBeUndefined();
  }
});

test('a broken dict line says where', async () => {
  const path = file('meta.broken', `{'asin': '1', 'title': 'a'}\n{'asin': '2', 'title': 'b\n`);
  expect(await message(readCatalogue(path))).toMatch(
    /meta\.broken:2: not a valid Python dict .*mend or remove the line$/,
  );
});

test('no times: leave-one-out alone; dates before 1970 are kept where no bound is', async () => {
  const inter = file('S.inter.json', JSON.stringify({ u: [2, 0, 1, 2], v: [0, 1] }));
  const stage = (options: object) =>
    filterStage({ reviews: inter, out: join(dir, 'S'), dataset: 'S', userK: 2, itemK: 1, ...options });
  expect(await message(stage({}))).toContain('expected --split leave-one-out');
  expect(await message(stage({ split: 'leave-one-out', from: '2000-01' }))).toContain('expected no --from and --to');
  const report = await stage({ split: 'leave-one-out' });
  expect(report).toMatchObject({ users: 2, items: 3, texts: false, split: { train: 1, valid: 1, test: 2 } });
  const data = await loadDataset(join(dir, 'S'));
  expect(data.test).toEqual([
    { user: 'u', history: [2, 0, 1], target: 2 },
    { user: 'v', history: [0], target: 1 },
  ]);
  expect(data.items[2]!.title).toBe('item 2');
  const old = file('old.data', 'u,i,t\nU,A,-86400\nU,B,-1\nU,C,5\n'.replace('u,i,t', 'user,item,time'));
  const before = await filterStage({
    reviews: old,
    out: join(dir, 'O'),
    dataset: 'O',
    userK: 1,
    itemK: 1,
    split: 'leave-one-out',
  });
  expect(before).toMatchObject({ interactions: 3, dates: { from: 'any', to: 'any' } });
  const bounded = { from: '1969-12', to: '1969-12' };
  expect(
    await filterStage({ reviews: old, out: join(dir, 'O'), dataset: 'O', userK: 1, itemK: 1, ...bounded }),
  ).toMatchObject({
    interactions: 2,
    removed: { interactionsOutsideDates: 1 },
  });
});

test('widening: the first month moves back by years until there are enough items, no further than the data', async () => {
  const lines = [2010, 2012, 2014, 2016].flatMap((year, item) =>
    ['U', 'V'].map((user, at) => `${user},I${item},${Date.UTC(year, 5, 1 + at) / 1000}`),
  );
  const reviews = file('years.csv', ['user,item,time', ...lines].join('\n'));
  const stage = (minItems: number) =>
    filterStage({
      reviews,
      out: join(dir, 'W'),
      dataset: 'W',
      userK: 2,
      itemK: 1,
      from: '2015-01',
      to: '2018-10',
      minItems,
    });
  expect(await stage(3)).toMatchObject({ items: 3, dates: { from: '2012-01' } });
  expect(await stage(4)).toMatchObject({ items: 4, dates: { from: '2010-01' } });
  expect(await message(stage(5))).toContain(
    'expected 5 items, got 4 with all dates since the first review; lower --min-items',
  );
});

describe.skipIf(!here)('real data', () => {
  const stage = (options: { reviews: string; meta?: string; dataset: string }) =>
    filterStage({ ...options, out: join(dir, options.dataset), split: 'leave-one-out' });

  test('Beauty: a published order and index; no texts, ids as published', async () => {
    const report = await stage({ reviews: join(shared, 'beauty/Beauty.inter.json'), dataset: 'Beauty' });
    expect(report).toMatchObject({ users: 22363, items: 12101, interactions: 198502, texts: false });
    expect(report.split).toEqual({ train: 198502 - 3 * 22363, valid: 22363, test: 22363 });
    const data = await loadDataset(join(dir, 'Beauty'));
    const source = JSON.parse(readFileSync(join(shared, 'beauty/Beauty.inter.json'), 'utf8')) as Record<
      string,
      number[]
    >;
    for (const { user, history, target } of data.test.slice(0, 500)) {
      expect([...history, target]).toEqual(source[user]!.slice(-21));
    }
    expect(readIndex(join(shared, 'beauty/Beauty.index.json'), data.items.length)).toHaveLength(12101);
  });

  test('MovieLens 100K in RecBole files', async () => {
    const [reviews, meta] = ['inter', 'item'].map((ending) => join(shared, `ml-100k/ml-100k.${ending}`)) as [
      string,
      string,
    ];
    const report = await stage({ reviews, meta, dataset: 'ml' });
    expect(report).toMatchObject({
      format: 'recbole',
      read: { users: 943, items: 1682, interactions: 100000 },
      texts: true,
    });
    expect(report.removed.interactionsOutsideDates).toBe(0);
    const { items } = await loadDataset(join(dir, 'ml'));
    expect(items[0]).toMatchObject({ title: 'Toy Story', categories: "Animation Children's Comedy" });
  });
});
