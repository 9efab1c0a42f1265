/**
 * What the stages write, read by MiniOneRec's and GRec's ways of reading it (`test/python/read_reference.py`), gives the
 * same rows; other people's fields of items go through; fewer rows where the options ask for them.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { convert } from '../../lib/data/convert.js';
import { readConverted, readInfo } from '../../lib/data/converted-files.js';
import type { Dataset, Row } from '../../lib/data/dataset.js';
import { filterStage } from '../../lib/data/filter/filter-stage.js';
import { readItems } from '../../lib/data/item-file.js';
import { loadDataset } from '../../lib/data/load.js';
import { drawRows, longestRows } from '../../lib/data/sample-rows.js';
import { sidTokens, writeIndex } from '../../lib/data/sid-index.js';
import { Random } from '../../lib/support/random.js';

const dir = mkdtempSync(join(tmpdir(), 'sidlab-'));
afterAll(() => rmSync(dir, { recursive: true }));
const python = spawnSync('python3', ['-c', 'print()'], { stdio: 'ignore' }).status === 0;

const USERS = 30;
const ITEMS = 12;
/** Texts that a careless writer or reader would break. */
const TITLES = [`It's a "quoted", listed one`, 'Plain', 'Komma, tab', 'Ümläut \u2028 line', 'Both \' and "', '[list]'];

interface Line {
  reviewerID: string;
  asin: string;
  unixReviewTime: number;
  reviewText?: string;
  summary?: string;
}

function lines(): Line[] {
  const random = new Random('reviews');
  return Array.from({ length: USERS }, (_, u) =>
    Array.from({ length: 2 + (u % 26) }, (_, i) => ({
      reviewerID: `U${u}`,
      asin: `B${random.int(ITEMS)}`,
      unixReviewTime: 1_400_000_000 + 86_400 * (u + 40 * i),
      ...(i % 3 < 2 && { reviewText: `Good &amp; <b>solid</b>\n ${u}`, summary: 'Fine' }),
    })),
  ).flat();
}

const ENRICHED = {
  enhanced_title: 'Better',
  tags: ['a', 'b'],
  highlights: ['h'],
  characteristics: { size: 'L' },
  n: 3,
};
const reviews = join(dir, 'reviews.jsonl');
const meta = join(dir, 'meta.json');
const out = join(dir, 'out');
let data: Dataset;

beforeAll(async () => {
  writeFileSync(
    reviews,
    lines()
      .map((line) => JSON.stringify(line) + '\n')
      .join(''),
  );
  const item = (i: number) => ({
    title: `${TITLES[i % TITLES.length]!} ${i}`,
    description: `D${i}`,
    brand: '',
    categories: 'x, y',
    ...(i % 2 === 0 && ENRICHED),
  });
  writeFileSync(meta, JSON.stringify(Object.fromEntries(Array.from({ length: ITEMS }, (_, i) => [`B${i}`, item(i)]))));
  const rules = { userK: 2, itemK: 1, split: 'leave-one-out' } as const;
  await filterStage({ reviews, meta, out, dataset: 'Sm', reviewTexts: true, ...rules });
  data = await loadDataset(out);
  writeIndex(
    join(out, 'Sm.index.json'),
    data.items.map((_, i) => sidTokens([i % 3, i])),
  );
});

const bare = ({ user, history, target }: Row) => ({ user, history, target });
const sorted = (rows: readonly Row[]) => rows.map((row) => JSON.stringify(bare(row))).sort();

function read(kind: string, folder: string, name: string): Record<string, unknown> {
  const ran = spawnSync('python3', ['test/python/read_reference.py', kind, folder, name], { encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(ran.stderr);
  return JSON.parse(ran.stdout) as Record<string, unknown>;
}

describe.skipIf(!python)('read by the reference', () => {
  test("MiniOneRec: the files that its scripts' patterns find hold the same rows", async () => {
    const folder = join(dir, 'minionerec');
    await convert({ data: out, out: folder, names: 'minionerec' });
    await convert({ data: out, out: folder }); // NAME.csv beside them is not found
    const info = readInfo(join(folder, 'info/Sm.txt'));
    rmSync(join(folder, 'info/Sm.txt')); // sft.sh takes NAME*.txt
    const found = read('minionerec', folder, 'Sm');
    expect(found.info).toEqual(info);
    for (const split of ['train', 'valid', 'test'] as const) {
      expect(found[split]).toEqual(readConverted(join(folder, split, 'Sm.csv')));
      expect((found[split] as Row[]).map(bare)).toEqual(data[split]);
    }
    expect(found.train).not.toHaveLength(0);
  });

  test("GRec: leave-one-out rows of inter.json are ours, and items keep other people's fields", () => {
    const found = read('grec', out, 'Sm');
    for (const split of ['train', 'valid', 'test'] as const) {
      expect(sorted(found[split] as Row[])).toEqual(sorted(data[split]));
    }
    const items = Object.values(found.items as Record<string, Record<string, unknown>>);
    expect(items).toHaveLength(data.items.length);
    items.forEach((item, id) => {
      const { extra, ...texts } = data.items[id]!;
      expect(item).toEqual({ ...texts, ...extra });
    });
    expect(items.filter((item) => item.tags)).not.toHaveLength(0);
    for (const item of items) if (item.tags) expect(item).toMatchObject(ENRICHED);
  });
});

test('fields of raw metadata are kept where they are asked for', async () => {
  const raw = join(dir, 'meta.jsonl');
  const line = (i: number) => ({ asin: `B${i}`, title: `T${i}`, image: [`http://x/${i}.jpg`], price: i, also_buy: [] });
  writeFileSync(raw, Array.from({ length: ITEMS }, (_, i) => JSON.stringify(line(i)) + '\n').join(''));
  const options = { reviews, meta: raw, dataset: 'Raw', userK: 2, itemK: 1 };
  await filterStage({ ...options, out: join(dir, 'raw'), keepFields: ['image', 'price', 'title', 'none'] });
  const [item] = readItems(join(dir, 'raw/Raw.item.json'));
  const { title } = item!;
  const i = Number(title.slice(1));
  expect(item!.extra).toEqual({ image: [`http://x/${i}.jpg`], price: i });
  await filterStage({ ...options, out: join(dir, 'raw2') });
  expect(readItems(join(dir, 'raw2/Raw.item.json')).every(({ extra }) => extra === undefined)).toBe(true);
  const csv = join(dir, 'meta.csv');
  writeFileSync(csv, 'item,title\nB0,T\n');
  await expect(filterStage({ ...options, meta: csv, out: join(dir, 'raw3'), keepFields: ['price'] })).rejects.toThrow(
    'expected JSON item texts for --keep-fields, got csv',
  );
});

test('NAME.review.json: texts of the interactions that are kept, under user, item and time', () => {
  const file = JSON.parse(readFileSync(join(out, 'Sm.review.json'), 'utf8')) as Record<string, object>;
  const ids = (name: string) =>
    new Map(
      readFileSync(join(out, name), 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.split('\t') as [string, string]),
    );
  const [users, items] = [ids('Sm.user2id'), ids('Sm.item2id')];
  expect([...users.values()]).toEqual(Array.from({ length: users.size }, (_, i) => String(i)));
  const expected = lines().map(({ reviewerID, asin, unixReviewTime, reviewText, summary = '' }) => [
    `(${users.get(reviewerID)!}, ${items.get(asin)!}, ${unixReviewTime})`,
    { review: reviewText ? `Good & solid ${reviewerID.slice(1)}` : '', summary },
  ]);
  expect(file).toEqual(Object.fromEntries(expected));
});

test('review texts outside the dates, and of formats without texts', async () => {
  const options = { reviews, meta, dataset: 'D', userK: 2, itemK: 1, reviewTexts: true } as const;
  await filterStage({ ...options, out: join(dir, 'dated'), from: '2014-07', to: '2015-12' });
  const file = JSON.parse(readFileSync(join(dir, 'dated/D.review.json'), 'utf8')) as object;
  const times = Object.keys(file).map((key) => Number(/(\d+)\)$/.exec(key)![1]));
  expect(Math.min(...times)).toBeGreaterThanOrEqual(Date.UTC(2014, 6) / 1000);
  expect(Math.max(...times)).toBeLessThan(Date.UTC(2016, 0) / 1000);
  mkdirSync(join(dir, 'csv'));
  writeFileSync(join(dir, 'csv/r.csv'), 'user,item,time\na,B0,1400000000\na,B1,1400000001\n');
  await expect(
    filterStage({ ...options, reviews: join(dir, 'csv/r.csv'), out: join(dir, 'csv/out'), itemK: 1 }),
  ).rejects.toThrow("expected Amazon's JSON lines for --review-texts, got csv");
});

test('longest rows: one a user, the first of equals, in the order of the users', () => {
  const row = (user: string, length: number, target: number) => ({
    user,
    history: Array<number>(length).fill(0),
    target,
  });
  const rows = [row('b', 1, 0), row('a', 2, 1), row('b', 3, 2), row('a', 2, 3), row('b', 3, 4)];
  expect(longestRows(rows).map(({ target }) => target)).toEqual([2, 1]);
});

test('rows are drawn by the seed, each equally often, in their order', () => {
  const rows = Array.from({ length: 6 }, (_, target) => ({ user: 'u', history: [0], target }));
  const counts = new Array<number>(6).fill(0);
  for (let seed = 0; seed < 3000; seed++) {
    const drawn = [...drawRows(() => rows, 2, `${seed}/valid`)].map(({ target }) => target);
    expect(drawn[0]!).toBeLessThan(drawn[1]!);
    for (const target of drawn) counts[target]!++;
  }
  // each of six twice in six: 1,000 of 3,000, with a standard deviation of 26
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(110);
  expect([...drawRows(() => rows, 6, 's')]).toEqual(rows);
  expect([...drawRows(() => rows, undefined, 's')]).toEqual(rows);
});

test('convert: limits and longest rows', async () => {
  const folder = join(dir, 'limits');
  const options = { data: out, out: folder, keepLongestOnly: true, maxValidSamples: 4, maxTestSamples: 5 };
  const report = await convert(options);
  expect(report.split).toEqual({ train: longestRows(data.train).length, valid: 4, test: 5 });
  const valid = readConverted(join(folder, 'valid/Sm.csv')).map(bare);
  expect(data.valid.filter((row) => valid.some((other) => JSON.stringify(other) === JSON.stringify(row)))).toEqual(
    valid,
  );
  await convert({ ...options, seed: 7 });
  expect(readConverted(join(folder, 'valid/Sm.csv')).map(bare)).not.toEqual(valid);
  await convert(options);
  expect(readConverted(join(folder, 'valid/Sm.csv')).map(bare)).toEqual(valid);
});
