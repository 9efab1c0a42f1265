/**
 * The same interactions and texts, written in any format, encoding, compression, unit of time and line end, are read
 * as the same.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { DuckDBConnection } from '@duckdb/node-api';
import fc from '../fast-check.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readCatalogue } from '../../lib/data/raw/catalogue.js';
import type { RawFormat } from '../../lib/data/raw/format-names.js';
import { interactionsTable } from '../../lib/data/raw/interactions.js';
import { readInteractions } from '../../lib/data/raw/read-interactions.js';

const dir = mkdtempSync(join(tmpdir(), 'sidlab-'));
afterAll(() => rmSync(dir, { recursive: true }));
let duckdb: DuckDBConnection;
beforeAll(async () => {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  duckdb = await (await DuckDBInstance.create(':memory:')).connect();
});
afterAll(() => duckdb.closeSync());

interface Bought {
  user: string;
  item: string;
  time: number;
}

/** Powers of ten of a second. */
const UNITS = { s: 0, ms: 3, us: 6, ns: 9 } as const;
const WRITERS = ['amazon-2018', 'amazon-2023', 'recbole', 'csv', 'csv quoted', 'semicolon', 'bar', 'tab'] as const;

const name = fc.oneof(
  fc.stringMatching(/^[A-Z0-9]{1,6}$/),
  fc.constantFrom('José', 'Josè', '用户一', '😀', '9007199254740993', '9007199254740992', 'a=b', "o'x", 'x"y'),
);
const bought: fc.Arbitrary<Bought> = fc.record({
  user: name,
  item: name,
  time: fc.integer({ min: 211_000_000, max: 1_700_000_000 }), // before, milliseconds may be a date's twelve digits, which are refused
});
const file = fc.record({
  rows: fc.array(bought, { minLength: 1, maxLength: 12 }),
  writer: fc.constantFrom(...WRITERS),
  unit: fc.constantFrom('s', 'ms', 'us', 'ns', 'date', 'text' as const),
  encoding: fc.constantFrom('utf-8', 'utf-8 mark', 'utf-16le', 'utf-16be', 'utf-16le mark', 'utf-16be mark' as const),
  packed: fc.boolean(),
  crlf: fc.boolean(),
  open: fc.boolean(),
});
type File = typeof file extends fc.Arbitrary<infer T> ? T : never;

function encode(text: string, encoding: File['encoding']): Uint8Array {
  const marked = encoding.endsWith('mark') ? `\ufeff${text}` : text;
  if (encoding.startsWith('utf-8')) return Buffer.from(marked);
  const bytes = Buffer.from(marked, 'utf16le');
  return encoding.startsWith('utf-16be') ? bytes.swap16() : bytes;
}

function timeText(time: number, unit: File['unit']): string {
  if (unit === 'date') return new Date(1000 * time).toISOString().replace('.000', '');
  return unit === 'text' ? `${time}.0` : `${time}${'0'.repeat(UNITS[unit])}`;
}

const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

function lineOf(writer: File['writer'], { user, item }: Bought, time: string): string {
  const value = /^\d+$/.test(time) ? time : JSON.stringify(time);
  switch (writer) {
    case 'amazon-2018':
      return `{"helpful": [2, 3], "reviewerID": ${JSON.stringify(user)}, "asin": ${JSON.stringify(item)}, "unixReviewTime": ${value}, "overall": 5.0}`;
    case 'amazon-2023':
      return `{"images": [], "user_id": ${JSON.stringify(user)}, "asin": "v", "parent_asin": ${JSON.stringify(item)}, "timestamp": ${value}, "rating": 5}`;
    case 'recbole':
    case 'tab':
      return [user, item, '5', time].join('\t');
    case 'csv':
      return [user, item, '5', time].join(',');
    case 'csv quoted':
      return [quoted(user), quoted(item), '5', quoted(time), quoted('a, b\n"c"')].join(',');
    case 'semicolon':
      return [quoted(user), item, '5', time].join(';');
    case 'bar':
      return [user, quoted(item), '5', time].join('|');
    default:
      throw writer satisfies never;
  }
}

const HEADERS: Record<File['writer'], string[]> = {
  'amazon-2018': [],
  'amazon-2023': [],
  recbole: ['user_id:token\titem_id:token\trating:float\ttimestamp:float'],
  tab: ['user_id\titem_id\trating\ttimestamp'],
  csv: ['userId,itemId,rating,timestamp'],
  'csv quoted': ['"User ID","item","stars","time","note"'],
  semicolon: ['"user";item;rating;date'],
  bar: ['user|item|rating|time'],
};

test('interactions, whatever the file', async () => {
  let count = 0;
  await fc.assert(
    fc.asyncProperty(file, async ({ rows, writer, unit, encoding, packed, crlf, open }) => {
      const lines = [...HEADERS[writer], ...rows.map((row) => lineOf(writer, row, timeText(row.time, unit)))];
      const end = crlf ? '\r\n' : '\n';
      const bytes = encode(lines.join(end) + (open ? '' : end), encoding);
      const path = join(dir, `reviews-${count++}`);
      writeFileSync(path, packed ? gzipSync(bytes) : bytes);
      const read = interactionsTable(await readInteractions(path)).objects();
      expect(read).toEqual(rows.map(({ user, item, time }) => ({ user, asin: item, stars: 5, time })));
    }),
    { numRuns: 400 },
  );
});

interface Texts {
  item: string;
  title: string;
  description: string[];
  features: string[];
  store: string;
  categories: string[];
}

const words = fc.oneof(
  fc.stringMatching(/^[A-Za-z]{1,8}( [A-Za-z]{1,8})?$/),
  fc.constantFrom(
    'He said "hi"',
    "it's",
    'Tom & Jerry',
    'café',
    '耳机',
    '5 < 6',
    'a\tb',
    'a, b; c | d',
    '\\ back',
    '[x',
  ),
);
const texts: fc.Arbitrary<Texts> = fc.record({
  item: fc.uuid(),
  title: words,
  description: fc.array(words, { maxLength: 2 }),
  features: fc.array(words, { maxLength: 2 }),
  store: words,
  categories: fc.array(words, { maxLength: 3 }),
});
const python = (list: string[]) =>
  `[${list.map((text) => `'${text.replace(/[\\']/g, '\\$&').replaceAll('\t', '\\t')}'`).join(', ')}]`;
const sql = (text: string) => `'${text.replaceAll("'", "''")}'`;
const FIELDS = ['item', 'title', 'description', 'features', 'store', 'categories'] as const;

/** Writes a file of item texts. */
const TEXT_WRITERS: Record<string, (items: Texts[]) => Promise<string> | string> = {
  'JSON lines': (items) =>
    items
      .map(({ item, categories, ...others }) => JSON.stringify({ categories, parent_asin: item, ...others }))
      .join('\n'),
  'Python lines': (items) =>
    items
      .map(({ item, title, description, features, store, categories }) => {
        const [one, two] = [python([title]), python([store])].map((list) => list.slice(1, -1));
        return `{'parent_asin': '${item}', 'title': ${one}, 'description': ${python(description)}, 'features': ${python(features)}, 'store': ${two}, 'categories': [${python(categories)}]}`;
      })
      .join('\n'),
  'CSV as pandas writes it': (items) => table(items, ',', python),
  'CSV with lists as JSON': (items) => table(items, ';', (list) => JSON.stringify(list)),
  'tab-separated': (items) => table(items, '\t', python),
  Parquet: async (items) => {
    const list = (values: string[]) => `[${values.map(sql).join(', ')}]::VARCHAR[]`;
    const rows = items.map((item) =>
      FIELDS.map((field) => (Array.isArray(item[field]) ? list(item[field]) : sql(item[field]))).join(', '),
    );
    return parquet(rows);
  },
  'Parquet of other types': async (items) => {
    const bytes = (text: string) => `encode(${sql(text)})`;
    const json = (values: string[]) => `${sql(JSON.stringify(values))}::JSON`;
    const rows = items.map(
      ({ item, title, description, features, store, categories }) =>
        `${sql(item)}::UUID, ${bytes(title)}, ${json(description)}, ${json(features)}, ${bytes(store)}, [[${categories.map(sql).join(', ')}]::VARCHAR[]]`,
    );
    return parquet(rows);
  },
};

function table(items: Texts[], mark: string, list: (texts: string[]) => string): string {
  const rows = items.map((item) =>
    FIELDS.map((field) => quoted(Array.isArray(item[field]) ? list(item[field]) : item[field])).join(mark),
  );
  return [FIELDS.join(mark), ...rows].join('\n');
}

let files = 0;
async function parquet(rows: string[]): Promise<string> {
  const path = join(dir, `x=1[${files++}]*.parquet`); // no pattern, no partition
  await duckdb.run(
    `COPY (SELECT * FROM (VALUES ${rows.map((row) => `(${row})`).join(', ')}) t(${FIELDS.join(', ')})) TO '${path}' (FORMAT parquet)`,
  );
  return path;
}

test.each(Object.keys(TEXT_WRITERS))('item texts as %s', async (writer) => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(texts, { minLength: 1, maxLength: 4, selector: ({ item }) => item }),
      async (items) => {
        const content = await TEXT_WRITERS[writer]!(items);
        const path = content.endsWith('.parquet') ? content : join(dir, `meta-${files++}`);
        if (path !== content) writeFileSync(path, content);
        const format: RawFormat = writer.startsWith('Parquet')
          ? 'parquet'
          : /lines/.test(writer)
            ? 'amazon-2018'
            : 'csv';
        const first = (...lists: string[][]) => lists.map((list) => list.join(' ')).find((text) => text !== '') ?? '';
        expect(await readCatalogue(path)).toEqual({
          items: items.map(({ item, title, description, features, store, categories }) => ({
            asin: item,
            title: title.replace('\t', ' '),
            description: first(description, features),
            brand: store,
            categories: categories.join(', '),
          })),
          duplicates: 0,
          format,
        });
      },
    ),
    { numRuns: writer.startsWith('Parquet') ? 25 : 80 },
  );
});
