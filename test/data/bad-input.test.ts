import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { convert } from '../../lib/data/convert.js';
import { readInfo } from '../../lib/data/converted-files.js';
import { filterStage } from '../../lib/data/filter/filter-stage.js';
import { loadDataset } from '../../lib/data/load.js';
import { readIndex, writeIndex } from '../../lib/data/sid-index.js';
import { writeAllAtomic } from '../../lib/files/files.js';
import { InputError } from '../../lib/support/errors.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sidlab-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const review = (user: string, asin: string, day: number) => ({
  reviewerID: user,
  asin,
  overall: 5,
  unixReviewTime: Date.UTC(2016, 0, day) / 1000,
});
const item = (asin: string, title: unknown = `Title of ${asin}`) => ({
  asin,
  title,
  description: ['Some words.'],
  brand: 'Brand',
  category: ['All', 'Some'],
});
/** Three users who bought all of four items. */
const REVIEWS = ['U1', 'U2', 'U3'].flatMap((user, u) =>
  ['A', 'B', 'C', 'D'].map((asin, i) => review(user, asin, 1 + 4 * i + u)),
);
const ITEMS = ['A', 'B', 'C', 'D'].map((asin) => item(asin));

const lines = (values: unknown[]) =>
  values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join('\n') + '\n';

function filter(reviews: unknown[] | Buffer, meta: unknown[] = ITEMS, options = {}) {
  const [reviewsFile, metaFile] = [join(dir, 'reviews.jsonl'), join(dir, 'meta.jsonl')];
  writeFileSync(reviewsFile, Buffer.isBuffer(reviews) ? reviews : lines(reviews));
  writeFileSync(metaFile, lines(meta));
  const rules = { userK: 2, itemK: 1, ...options };
  return filterStage({ reviews: reviewsFile, meta: metaFile, out: join(dir, 'out'), dataset: 'Shop', ...rules });
}

/** Fails with one line that holds all of `parts`, and writes nothing. */
async function failsWith(attempt: Promise<unknown>, ...parts: string[]) {
  const error = await attempt.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(InputError);
  const { message } = error as InputError;
  expect(message).not.toContain('\n');
  for (const part of parts) expect(message).toContain(part);
  expect(existsSync(join(dir, 'out'))).toBe(false);
}

describe('raw files that end in an error', () => {
  test('gzip that is cut short', async () => {
    const whole = gzipSync(lines(Array.from({ length: 50 }, () => REVIEWS).flat()));
    await failsWith(filter(whole.subarray(0, whole.length - 20)), 'reviews.jsonl:', 'cut short', 'fetch it again');
  });

  test('gzip whose middle is damaged', async () => {
    const whole = gzipSync(lines(Array.from({ length: 50 }, () => REVIEWS).flat()));
    whole.fill(0xff, 60, 90);
    await failsWith(filter(whole), 'reviews.jsonl:', 'fetch it again');
  });

  test('a file that is missing, a folder, or empty', async () => {
    const missing = {
      reviews: join(dir, 'none.jsonl'),
      meta: join(dir, 'none.jsonl'),
      out: join(dir, 'out'),
      dataset: 'S',
    };
    await failsWith(filterStage(missing), 'none.jsonl: no such file', 'check the path');
    await failsWith(filterStage({ ...missing, reviews: dir }), 'expected files in the folder, got none');
    await failsWith(filter(Buffer.from('')), 'reviews.jsonl: expected reviews, got an empty file');
    await failsWith(filter(REVIEWS, ['']), 'meta.jsonl: expected items, got an empty file');
  });

  test('a JSON line that is broken', async () => {
    await failsWith(
      filter([...REVIEWS.slice(0, 2), '{"reviewerID": "U9", "as']),
      'reviews.jsonl:3:',
      'not valid JSON',
      'mend or remove the line',
    );
    await failsWith(
      filter(REVIEWS, [ITEMS[0], '{"asin":']),
      'meta.jsonl:2:',
      'not valid JSON',
      'mend or remove the line',
    );
    await failsWith(filter([REVIEWS[0], '[1, 2]']), 'reviews.jsonl:2:', 'expected a JSON object');
  });

  test.each(['reviewerID', 'asin', 'unixReviewTime'] as const)('a review without %s', async (field) => {
    const broken: Record<string, unknown> = { ...REVIEWS[1] };
    delete broken[field];
    await failsWith(filter([REVIEWS[0], broken]), 'reviews.jsonl:2:', `expected ${field}`, 'mend or remove the line');
  });

  test('fields of the wrong kind', async () => {
    await failsWith(filter([{ ...REVIEWS[0], unixReviewTime: 'soon' }]), 'reviews.jsonl:1:', 'got "soon"');
    await failsWith(filter([{ ...REVIEWS[0], reviewerID: 'a\tb' }]), 'reviews.jsonl:1:', 'text without spaces');
    await failsWith(filter(REVIEWS, [{ title: 'No asin' }]), 'meta.jsonl:1:', 'expected asin');
    await failsWith(filter(REVIEWS, [item('A', { en: 'Title' })]), 'meta.jsonl:1:', 'expected title to be text');
  });

  test('nothing left after filtering says which rule took it', async () => {
    await failsWith(
      filter(REVIEWS, ITEMS, { userK: 9 }),
      'nothing is left of 12 reviews',
      'usersBelowK 3',
      'lower --user-k (9)',
    );
    await failsWith(filter(REVIEWS, ITEMS, { to: '2015-12' }), 'interactionsOutsideDates 12', 'widen --from and --to');
    await failsWith(filter(REVIEWS, [item('Z')]), 'interactionsWithoutItem 12');
  });

  test('a folder that cannot be written', async () => {
    writeFileSync(join(dir, 'file'), '');
    const [reviews, meta] = [join(dir, 'r.jsonl'), join(dir, 'm.jsonl')];
    writeFileSync(reviews, lines(REVIEWS));
    writeFileSync(meta, lines(ITEMS));
    const out = join(dir, 'file', 'out');
    await failsWith(
      filterStage({ reviews, meta, out, dataset: 'S', userK: 2, itemK: 1 }),
      'S.item.json: cannot be written',
    );
  });

  test('one file that cannot be written: the others stay as they were', async () => {
    const [good, bad] = [join(dir, 'a.txt'), join(dir, 'b.txt')];
    writeFileSync(good, 'old');
    mkdirSync(bad);
    expect(() =>
      writeAllAtomic([
        [good, 'new'],
        [join(bad, 'x', 'y'), 'fine'],
        [join(good, 'z'), 'no'],
      ]),
    ).toThrow('cannot be written');
    expect(readFileSync(good, 'utf8')).toBe('old');
    expect(readdirSync(dir).sort()).toEqual(['a.txt', 'b.txt']);
  });

  test('options out of range', async () => {
    await failsWith(filter(REVIEWS, ITEMS, { userK: 0 }), 'expected userK to be a whole number of 1 or more, got 0');
    await failsWith(filter(REVIEWS, ITEMS, { from: '2016-13' }), 'from: expected a month such as 2018-10, got 2016-13');
    await failsWith(filter(REVIEWS, ITEMS, { from: '2018-01', to: '2017-01' }), 'expected from to come before to');
    await failsWith(
      filter(REVIEWS, ITEMS, { split: 'random' }),
      'expected split to be one of chronological, leave-one-out',
    );
    await failsWith(filter(REVIEWS, ITEMS, { dataset: '../up' }), 'expected dataset to be a name');
  });
});

describe('raw files that are filtered and counted', () => {
  test('a user with one item', async () => {
    const report = await filter([...REVIEWS, review('U4', 'A', 20)], ITEMS, { userK: 1 });
    expect(report).toMatchObject({
      users: 3,
      interactions: 12,
      removed: { usersWithOneInteraction: 1, usersBelowK: 0 },
    });
  });

  test('an item without a title', async () => {
    const untitled = [item('A', ''), item('B', ' \t\n'), { asin: 'C' }, ITEMS[3]];
    const report = await filter([...REVIEWS, review('U1', 'D', 30), review('U2', 'D', 30)], untitled);
    expect(report.items).toBe(1);
    expect(report.removed).toMatchObject({
      itemsWithoutTitle: 3,
      interactionsWithoutItem: 9,
      usersWithOneInteraction: 1,
    });
  });

  test('an asin that comes again: the first is kept', async () => {
    const report = await filter(REVIEWS, [...ITEMS, item('A', 'Another title'), item('B', 'Another')]);
    expect(report.removed.duplicateItems).toBe(2);
    expect((await loadDataset(join(dir, 'out'))).items[0]!.title).toBe('Title of A');
  });

  test('titles with tabs, line ends and quotes stay on one line of the info file', async () => {
    const hard = [
      item('A', 'Tab\there \r\n and "there"'),
      item('B', "it's  two  spaces"),
      item('C', '5 < 6\u2028bar'),
      item('D'),
    ];
    await filter(REVIEWS, hard);
    const out = join(dir, 'out');
    const titles = (await loadDataset(out)).items.map(({ title }) => title);
    expect(titles).toEqual(['Tab here and "there"', "it's  two  spaces", '5 < 6 bar', 'Title of D']);
    writeIndex(join(out, 'Shop.index.json'), [['<a_0>'], ['<a_1>'], ['<a_2>'], ['<a_3>']]);
    await convert({ data: out });
    expect(readInfo(join(out, 'info/Shop.txt')).map(({ title }) => title)).toEqual(titles);
  });

  test('titles with markup or too many words', async () => {
    const long = Array.from({ length: 21 }, (_, i) => `w${i}`).join(' ');
    const report = await filter(REVIEWS, [
      item('A', 'Nice <script>alert(1)</script>'),
      item('B', long),
      ITEMS[2],
      ITEMS[3],
    ]);
    expect(report).toMatchObject({
      items: 2,
      removed: { titlesWithMarkup: 1, titlesTooLong: 1, interactionsWithoutItem: 6 },
    });
    expect((await filter(REVIEWS, [item('B', long), ITEMS[2], ITEMS[3]], { titleWords: 21 })).items).toBe(3);
  });
});

describe('a data folder that does not fit', () => {
  const file = (name: string) => join(dir, 'out', name);
  const message = (attempt: Promise<unknown>) =>
    attempt.then(
      () => 'no error',
      (error: Error) => error.message,
    );
  beforeEach(() => filter(REVIEWS));

  test.each([
    ['U1\t0', ':2: expected 3 fields between tabs, got 2'],
    ['U1\t0 x\t1', ':2: expected an item id from 0 to 3, got "x"'],
    ['U1\t0\t4', ':2: expected an item id from 0 to 3, got "4"'],
    ['U1\t\t1', ':2: expected an item id from 0 to 3, got ""'],
  ])('the row %j', async (row, expected) => {
    writeFileSync(file('Shop.train.inter'), `user_id:token\titem_id_list:token_seq\titem_id:token\n${row}\n`);
    expect(await message(loadDataset(join(dir, 'out')))).toContain(
      `Shop.train.inter${expected}; run sidlab filter again`,
    );
  });

  test('another header, a missing file, a hole in the items', async () => {
    writeFileSync(file('Shop.test.inter'), 'user\titems\titem\n');
    expect(await message(loadDataset(join(dir, 'out')))).toContain('Shop.test.inter:1: expected the header');
    rmSync(file('Shop.test.inter'));
    expect(await message(loadDataset(join(dir, 'out')))).toContain('Shop.test.inter: no such file');
    writeFileSync(file('Shop.item.json'), '{"0": {"title": "x"}, "2": {"title": "y"}}');
    expect(await message(loadDataset(join(dir, 'out')))).toContain('expected ids 0 to 1, id 1 is missing');
    writeFileSync(file('Shop.item.json'), '{"0": {"title": ""}}');
    expect(await message(loadDataset(join(dir, 'out')))).toContain('item 0 has no title');
  });

  test('no data set, or several', async () => {
    expect(await message(loadDataset(join(dir, 'nowhere')))).toContain('no such folder; run sidlab filter');
    writeFileSync(file('Other.item.json'), '{}');
    expect(await message(loadDataset(join(dir, 'out')))).toContain('holds Other, Shop; name one with --dataset');
  });
});

describe('an index that does not fit', () => {
  const index = (value: unknown) => {
    const path = join(dir, 'Shop.index.json');
    writeFileSync(path, JSON.stringify(value));
    return path;
  };

  test('it lacks an item: nothing is converted', async () => {
    await filter(REVIEWS);
    const before = readdirSync(join(dir, 'out')).sort();
    const path = index({ 0: ['<a_0>'], 1: ['<a_1>'], 3: ['<a_3>'] });
    await expect(convert({ data: join(dir, 'out'), index: path })).rejects.toThrow(
      /Shop\.index\.json: item 2 of 4 is missing; run sidlab sid again on the same data$/,
    );
    expect(readdirSync(join(dir, 'out')).sort()).toEqual(before);
  });

  test.each([
    [[['<a_0>']], 'expected an object'],
    [{ 0: ['<a_0>'], 2: ['<a_1>'] }, 'item 1 of 2 is missing'],
    [{ 0: ['a_0'] }, 'item 0: expected tokens such as <a_12>, got ["a_0"]'],
    [{ 0: [] }, 'item 0: expected tokens'],
    [{ 0: '<a_0>' }, 'item 0: expected tokens'],
    [{ 0: ['<a_0>', '<b_1>'], 1: ['<a_0>'] }, "the SID of item 1 is the beginning of item 0's"],
  ])('%j', (value, expected) => {
    expect(() => readIndex(index(value))).toThrow(expected);
  });

  test('more items than the data', () => {
    expect(() => readIndex(index({ 0: ['<a_0>'], 1: ['<a_1>'] }), 1)).toThrow('expected 1 items, got 2');
  });

  test('what is written reads back; shared SIDs are allowed', () => {
    const path = join(dir, 'x.index.json');
    const good = [
      ['<a_0>', '<b_1>'],
      ['<a_0>', '<b_1>'],
      ['<a_0>', '<b_2>', '<c_0>'],
    ];
    writeIndex(path, good);
    expect(readIndex(path, 3)).toEqual(good);
    expect(() => writeIndex(join(dir, 'y.json'), [['<a_0>'], ['<a_0>', '<b_0>']])).toThrow('is the beginning of');
    expect(existsSync(join(dir, 'y.json'))).toBe(false);
  });
});
