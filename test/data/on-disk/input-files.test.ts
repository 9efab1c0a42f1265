/** Sources of several files: folders as Spark and DuckDB write them, patterns, and what does not fit together. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, expect, test } from 'vitest';
import { filterStage } from '../../../lib/data/filter/filter-stage.js';
import { readCatalogue } from '../../../lib/data/raw/catalogue.js';
import { detectReviews } from '../../../lib/data/raw/formats.js';
import { interactionsTable } from '../../../lib/data/raw/interactions.js';
import { readInteractions } from '../../../lib/data/raw/read-interactions.js';
import { hasInput, inputFiles } from '../../../lib/files/input-files.js';
import { runStage } from '../../../lib/runs/stage.js';

const dir = mkdtempSync(join(tmpdir(), 'sidlab-'));
afterAll(() => rmSync(dir, { recursive: true }));
const spark = (name: string) => join(import.meta.dirname, '../../golden/spark', name);

/** @param files by their path in the folder */
function folder(name: string, files: Record<string, string | Uint8Array>): string {
  const path = join(dir, name);
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(join(path, file, '..'), { recursive: true });
    writeFileSync(join(path, file), content);
  }
  return path;
}

const rows = async (path: string) =>
  (interactionsTable(await readInteractions(path)).objects() as { user: string; asin: string; time: number; stars: number }[]) // prettier-ignore
    .map(({ user, asin, time, stars }) => [user, asin, time, stars]);

test('a folder: hidden files and markers passed over, numbers by size, folders within', () => {
  const path = folder('order', {
    'part-2.csv': '', 'part-10.csv': '', 'part-1.csv': '', _SUCCESS: '', '.part-1.csv.crc': '', '_temporary/x.csv': '',
    'year=9/b.csv': '', 'year=10/a.csv': '',
  }); // prettier-ignore
  expect(inputFiles(path).map((file) => relative(path, file))).toEqual(['part-1.csv', 'part-2.csv', 'part-10.csv', 'year=9/b.csv', 'year=10/a.csv']); // prettier-ignore
  const some = inputFiles(join(path, 'part-1*.csv')).map((file) => relative(path, file));
  expect(some).toEqual(['part-1.csv', 'part-10.csv']);
  expect(inputFiles(join(path, 'part-?.csv'))).toHaveLength(2);
  const odd = folder('odd', { 'a*b.csv': '', 'aXb.csv': '', 'a.b': '' });
  expect(inputFiles(join(odd, 'a*b.csv'))).toEqual([join(odd, 'a*b.csv')]); // a file of that name is itself
  expect(inputFiles(join(odd, '*.b'))).toEqual([join(odd, 'a.b')]);
  expect(() => inputFiles(join(odd, '*.json'))).toThrow('expected files of such a name, got none');
  expect(() => inputFiles(folder('empty', { _SUCCESS: '' }))).toThrow('got none that is not hidden');
  expect([join(odd, '*.b'), join(odd, '*.json'), join(odd, 'no')].map(hasInput)).toEqual([true, false, false]);
});

test.each(['parquet', 'csv', 'json'])('what Spark wrote as %s', async (form) => {
  const written = JSON.parse(readFileSync(spark('interactions.json'), 'utf8')) as unknown[];
  expect((await rows(spark(form))).map((row) => JSON.stringify(row)).sort()).toEqual(written.map((row) => JSON.stringify(row)).sort()); // prettier-ignore
});

test("Spark's items and interactions through the stage", async () => {
  expect((await readCatalogue(spark('items'))).items.map(({ asin, title, categories }) => [asin, title, categories]).sort()).toEqual(
    Array.from({ length: 7 }, (_, i) => [`B${i}`, `Title ${i}`, `Home, Kind ${i % 2}`]),
  ); // prettier-ignore
  const options = { meta: spark('items'), out: join(dir, 'out'), dataset: 'S', userK: 2, itemK: 2 };
  const reports = [];
  for (const form of ['parquet', 'csv', 'json']) reports.push(await filterStage({ ...options, reviews: spark(form), from: 'any', to: 'any' })); // prettier-ignore
  expect(reports.map(({ items, interactions, read }) => [items, interactions, read])).toEqual(
    Array(3).fill([7, 120 - reports[0]!.removed.duplicateInteractions, { users: 9, items: 7, interactions: 120 }]),
  );
});

test('a link to nothing in a folder is named', async () => {
  const path = folder('links', { 'a.csv': 'user_id,item_id\nu,i\n' });
  symlinkSync(join(path, 'nowhere'), join(path, 'b.csv'));
  await expect(readInteractions(path)).rejects.toThrow(`${join(path, 'b.csv')}: no such file`);
});

test("DuckDB's folders, one file a thread or a partition", async () => {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const select = `SELECT 'u' || (range % 3) AS user, 'i' || (range % 5) AS item, 1e9::BIGINT + range AS time, range % 2 AS part FROM range(50)`;
  const [whole, parts] = [join(dir, 'whole.parquet'), join(dir, 'parts')];
  await connection.run(`COPY (${select}) TO '${whole}' (FORMAT parquet)`);
  await connection.run(`COPY (${select}) TO '${parts}' (FORMAT parquet, PARTITION_BY part)`);
  connection.closeSync();
  const byTime = (list: unknown[][]) => [...list].sort((a, b) => (a[2] as number) - (b[2] as number));
  expect(byTime(await rows(parts))).toEqual(await rows(whole));
  expect(await detectReviews(parts)).toBe('parquet');
});

test('gzip parts, some without rows; ties keep the order of the files', async () => {
  const line = (user: string) => `${JSON.stringify({ reviewerID: user, asin: 'A', unixReviewTime: 1e9 })}\n`;
  const path = folder('gz', { 'p-2.gz': gzipSync(line('b')), 'p-10.gz': gzipSync(line('c')), 'p-1.gz': gzipSync(line('a')), 'p-3.gz': gzipSync('') }); // prettier-ignore
  expect((await rows(path)).map(([user]) => user)).toEqual(['a', 'b', 'c']);
  expect((await rows(join(path, 'p-?.gz'))).map(([user]) => user)).toEqual(['a', 'b']);
});

test('files that do not fit together are one line', async () => {
  const header = 'user,item,time\n';
  const mixed = folder('mixed', { 'a.csv': `${header}u,i,1\n`, 'b.csv': '{"reviewerID": "u"}\n' });
  await expect(readInteractions(mixed)).rejects.toThrow(/b\.csv: expected csv, as .*a\.csv is, got amazon-2018; put files of one kind/); // prettier-ignore
  const times = folder('times', { 'a.csv': `${header}u,i,1\n`, 'b.csv': 'user,item\nu,j\n' });
  await expect(readInteractions(times)).rejects.toThrow(
    /b\.csv: expected times, as the files before it have, got none/,
  );
  const broken = folder('broken', { 'a.csv': `${header}u,i,1\n`, 'b.csv': `${header}u,i,1\nu,i,soon\n` });
  await expect(readInteractions(broken)).rejects.toThrow(/b\.csv:3: /);
  await expect(readInteractions(folder('none', { 'a.csv': '', 'b.csv': '' }))).rejects.toThrow('got an empty file');
});

test('a stage whose input is a folder runs again when a file in it changes', async () => {
  const path = folder('input', { 'a.csv': '1', 'b.csv': '2' });
  const stage = { name: 's', dir: join(dir, 'stage'), inputs: [path], options: {}, outputs: [] };
  const ran = async () => (await runStage(stage, () => 1)).ran;
  expect([await ran(), await ran()]).toEqual([true, false]);
  writeFileSync(join(path, 'b.csv'), '3');
  expect([await ran(), await ran()]).toEqual([true, false]);
  writeFileSync(join(path, '_SUCCESS'), '');
  expect(await ran()).toBe(false);
  writeFileSync(join(path, 'c.csv'), '');
  expect(await ran()).toBe(true);
});
