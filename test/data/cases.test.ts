/** Files of other hands (test/cases, with a README) and what they hold. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { filterInteractions } from '../../lib/data/filter/filter.js';
import type { FilterStageOptions } from '../../lib/data/filter/filter-options.js';
import { filterStage } from '../../lib/data/filter/filter-stage.js';
import { readItems } from '../../lib/data/item-file.js';
import { loadDataset } from '../../lib/data/load.js';
import { readCatalogue } from '../../lib/data/raw/catalogue.js';
import { interactionsTable } from '../../lib/data/raw/interactions.js';
import { readInteractions } from '../../lib/data/raw/read-interactions.js';
import { readIndex } from '../../lib/data/sid-index.js';

const out = mkdtempSync(join(tmpdir(), 'sidlab-'));
afterAll(() => rmSync(out, { recursive: true }));
const at = (name: string) => join(import.meta.dirname, '../cases', name);
const rows = async (name: string, options = {}) =>
  interactionsTable(await readInteractions(at(name), options)).objects() as { user: string; asin: string }[];
const filter = (reviews: string, options: Partial<FilterStageOptions> = {}) =>
  filterStage({ reviews: at(reviews), out: join(out, reviews), dataset: 'S', userK: 2, itemK: 1, ...options });

test('ids of 2^53 and more are six items, in the order of the small ones', async () => {
  const [big, small] = [await rows('big.inter.json'), await rows('small.inter.json')];
  const ids = Array.from({ length: 6 }, (_, i) => String(9007199254740992n + BigInt(i)));
  expect(big.map(({ asin }) => ids.indexOf(asin))).toEqual(small.map(({ asin }) => Number(asin)));
  for (const name of ['big.inter.json', 'small.inter.json']) {
    expect(await filter(name, { split: 'leave-one-out' })).toMatchObject({ items: 6, interactions: 36 });
  }
  const titles = (await loadDataset(join(out, 'big.inter.json'))).items.map(({ title }) => title);
  expect(titles).toEqual(ids.map((id) => `item ${id}`));
});

const TEXTS = ['Waterproof Light', 'First part. Second part.'];
test.each(['jsonl', 'csv', 'parquet'])('reviews and texts of 2023 as %s', async (ending) => {
  const reviews = await rows(`r23.${ending}`);
  expect(reviews).toEqual(await rows('r23.jsonl'));
  expect(reviews[1]).toEqual({ user: 'u0', asin: 'i1', stars: 5, time: 1_500_086_400 });
  const { items } = await readCatalogue(at(`m23.${ending}`));
  expect(items).toEqual(
    Array.from({ length: 6 }, (_, i) => {
      return { asin: `i${i}`, title: `T${i}`, description: TEXTS[i % 2], brand: 'S', categories: 'Home, Chairs' };
    }),
  );
  expect(await filter(`r23.${ending}`, { meta: at(`m23.${ending}`) })).toMatchObject({ items: 6, interactions: 36 });
});

test('lists with a null, lists of lists, a structure', async () => {
  const { items } = await readCatalogue(at('list_meta.parquet'));
  expect(items).toHaveLength(6);
  expect(items[0]).toEqual({ asin: 'i0', title: 'T0', description: 'a b', brand: 'q', categories: 'x, y, z' });
});

test.each(['quoted_meta.csv', 'quoted_meta.tsv', 'q.item'])('quoted cells: %s', async (name) => {
  const { items } = await readCatalogue(at(name));
  expect(items.map(({ title }) => title)).toEqual([
    ...['Plain', 'Left Right', 'He said "hi"', 'Two lines', 'Plain', 'Plain'],
  ]);
  expect(items.map(({ brand }) => brand)).toEqual(Array.from({ length: 6 }, () => 'Ax'));
});

test('Latin-1 is an error with its line; named, it keeps two users two and the item an item', async () => {
  await expect(filter('latin_users2.csv')).rejects.toThrow(/latin_users2\.csv:2: expected UTF-8, got other bytes near/);
  await expect(filter('latin_items.csv')).rejects.toThrow(/latin_items\.csv:4: expected UTF-8/);
  expect(await filter('latin_users2.csv', { encoding: 'latin1' })).toMatchObject({ users: 2, interactions: 12 });
  const users = new Set((await rows('latin_users2.csv', { encoding: 'latin1' })).map(({ user }) => user));
  expect([...users]).toEqual(['José', 'Josè']);
  const { items, itemNames } = await readInteractions(at('latin_items.csv'), { encoding: 'latin1' });
  expect([new Set(items).size, itemNames.name(2)]).toEqual([6, 'café']);
});

test('a review that comes twice counts once', async () => {
  const report = await filter('dup.jsonl');
  expect(report).toMatchObject({ interactions: 36, read: { interactions: 72 } });
  expect(report.removed.duplicateInteractions).toBe(36);
  const stats = JSON.parse(readFileSync(join(out, 'dup.jsonl/S.stats.json'), 'utf8')) as typeof report;
  expect(stats.removed.duplicateInteractions).toBe(36);
});

test('semicolons, with quotes and without', async () => {
  const columns = { user: 'User-ID', item: 'ISBN' };
  const [quoted, plain] = [await rows('semi.csv', { columns }), await rows('semi_plain.csv')];
  const names = ({ user, asin }: { user: string; asin: string }) => [user, asin];
  expect(quoted.map(names)).toEqual(plain.map(names));
  expect(quoted).toHaveLength(36);
  expect(quoted[0]).toEqual({ user: 'u0', asin: 'i0', stars: 5, time: 0 });
  expect(await rows('semi.csv')).toEqual(quoted); // the names of Book-Crossing are known
  expect(plain[0]).toMatchObject({ time: 1_500_000_000 });
});

test('NaN is null', async () => {
  expect((await readCatalogue(at('nan_meta.jsonl'))).items.map(({ title }) => title)).toEqual(
    Array.from({ length: 6 }, (_, i) => `Thing i${i}`),
  );
  expect(readItems(at('nan.item.json'))[5]).toEqual({ title: 'Thing 5', description: '', brand: '', categories: '' });
});

test('another spelling of SIDs is refused with the one expected', () => {
  expect(() => readIndex(at('oor.index.json'))).toThrow(/item 0: expected tokens such as <a_12>, got \["<item_a_0>"/);
});

test('the notebook takes the dates of the stage: none for these files', async () => {
  const data = await readInteractions(at('r23.csv'));
  const stage = await filter('r23.csv', { meta: at('m23.csv') });
  const { counts } = filterInteractions(data, await readCatalogue(at('m23.csv')), { userK: 2, itemK: 1 });
  expect(stage).toMatchObject(counts);
  expect(counts.dates).toEqual({ from: 'any', to: 'any' });
});
