/** MiniOneRec's files back to a data folder: a round trip, both layouts, and files that do not fit one another. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import fc from '../../fast-check.js';
import { convert } from '../../../lib/data/convert.js';
import { infoTitle } from '../../../lib/data/converted-files.js';
import type { Dataset } from '../../../lib/data/dataset.js';
import { importConverted } from '../../../lib/data/import-converted.js';
import { formatInter } from '../../../lib/data/inter-file.js';
import { formatItems } from '../../../lib/data/item-file.js';
import { loadDataset } from '../../../lib/data/load.js';
import { readIndex, writeIndex } from '../../../lib/data/sid-index.js';
import { datasetOf } from '../../tasks/small-dataset.js';

const dir = mkdtempSync(join(tmpdir(), 'sidlab-import-'));
const source = join(dir, 'source');
const published = join(dir, 'published');
let data: Dataset;
let n = 0;

beforeAll(async () => {
  const small = datasetOf(9, 12);
  mkdirSync(source);
  writeFileSync(join(source, 'S.item.json'), formatItems(small.items.map((item, i) => ({ ...item, brand: `b${i}` }))));
  for (const split of ['train', 'valid', 'test'] as const) {
    writeFileSync(join(source, `S.${split}.inter`), formatInter(small[split]));
  }
  writeIndex(
    join(source, 'S.index.json'),
    small.items.map((_, i) => [`<a_${i % 2}>`, `<b_${i}>`]),
  );
  data = await loadDataset(source);
  await convert({ data: source, out: published, names: 'minionerec' });
  mkdirSync(join(published, 'index'));
  for (const kind of ['item', 'index']) cpSync(join(source, `S.${kind}.json`), join(published, `index/S.${kind}.json`));
});

/** A copy of the published folder, changed. */
function copy(change: (folder: string) => void = () => undefined): string {
  const folder = join(dir, `copy-${n++}`);
  cpSync(published, folder, { recursive: true });
  change(folder);
  return folder;
}
const fetch = (converted: string) => importConverted({ converted, out: `${converted}-out`, dataset: 'S' });
const same = async (out: string) => {
  const found = await loadDataset(out);
  expect([found.items, found.train, found.valid, found.test]).toEqual([data.items, data.train, data.valid, data.test]);
  expect(readIndex(join(out, 'S.index.json'), 9)).toEqual(readIndex(join(source, 'S.index.json'), 9));
};

test("the repository's layout: the same items, index and rows", async () => {
  const converted = copy();
  expect(fetch(converted)).toMatchObject({ items: 9, split: { train: 12, valid: 2, test: 3 }, missing: [] });
  await same(`${converted}-out`);
});

test('all in one folder', async () => {
  const converted = copy((folder) => {
    const stem = 'S_5_2016-10-2018-11';
    for (const split of ['train', 'valid', 'test'])
      renameSync(join(folder, split, `${stem}.csv`), join(folder, `S.${split}.csv`));
    renameSync(join(folder, `info/${stem}.txt`), join(folder, 'S.info.txt'));
    for (const kind of ['item', 'index'])
      renameSync(join(folder, `index/S.${kind}.json`), join(folder, `S.${kind}.json`));
  });
  expect(fetch(converted).missing).toEqual([]);
  await same(`${converted}-out`);
});

test('without texts and index the info file says titles and SIDs; a split without a file has no rows', async () => {
  const converted = copy((folder) => {
    rmSync(join(folder, 'index'), { recursive: true });
    rmSync(join(folder, 'train'), { recursive: true });
  });
  expect(fetch(converted)).toMatchObject({ items: 9, split: { train: 0, test: 3 }, missing: ['train', 'texts'] });
  const found = await loadDataset(`${converted}-out`);
  expect(found.items.map(({ title }) => title)).toEqual(data.items.map(({ title }) => title));
  expect(found.test).toEqual(data.test);
});

test('titles of any characters: there and back, with item texts and with the info file alone', async () => {
  const title = fc.oneof(
    fc.string({ unit: 'binary', minLength: 1 }),
    fc.string({
      unit: fc.constantFrom(' ', '\t', '\n', '\r', '\u2028', '\x85', '\x1c', '\ud83d', '"', "'", 'a'),
      minLength: 1,
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.tuple(title, title, title), async (titles) => {
      const folder = join(dir, `titles-${n++}`);
      mkdirSync(folder);
      const items = titles.map((own) => ({ title: own, description: '', brand: '', categories: '' }));
      writeFileSync(join(folder, 'T.item.json'), formatItems(items));
      const rows = { train: [], valid: [], test: [{ user: 'u', history: [0, 1], target: 2 }] };
      for (const split of ['train', 'valid', 'test'] as const) {
        writeFileSync(join(folder, `T.${split}.inter`), formatInter(rows[split]));
      }
      const index = titles.map((_, i) => [`<a_${i}>`]);
      writeIndex(join(folder, 'T.index.json'), index);
      const converted = `${folder}-published`;
      await convert({ data: folder, dataset: 'T', out: converted });
      const back = async (out: string) => {
        importConverted({ converted, out, dataset: 'T' });
        const found = await loadDataset(out);
        expect([found.test, readIndex(join(out, 'T.index.json'))]).toEqual([rows.test, index]);
        return found.items.map((item) => item.title);
      };
      if (titles.every((own) => infoTitle(own) !== '')) expect(await back(`${folder}-bare`)).toEqual(titles.map(infoTitle)); // prettier-ignore
      for (const kind of ['item', 'index']) cpSync(join(folder, `T.${kind}.json`), join(converted, `T.${kind}.json`));
      expect(await back(`${folder}-whole`)).toEqual(titles);
    }),
    { numRuns: 60 },
  );
});

test('a NAME with the signs of a pattern is a name', () => {
  expect(() => importConverted({ converted: published, out: join(dir, 'none'), dataset: 'S(' })).toThrow('expected S(.item.json'); // prettier-ignore
  expect(() => importConverted({ converted: published, out: join(dir, 'none'), dataset: '[A-Z]' })).toThrow('got neither'); // prettier-ignore
});

describe('files that do not fit', () => {
  const info = 'info/S_5_2016-10-2018-11.txt';
  const edit = (file: string, from: string, to: string) => (folder: string) => {
    const text = readFileSync(join(folder, file), 'utf8');
    expect(text).toContain(from);
    writeFileSync(join(folder, file), text.replace(from, to));
  };
  test.each([
    [
      'another title',
      edit('test/S_5_2016-10-2018-11.csv', 'thing 1,', 'thing 7,'),
      'row 1: item 1 is <a_1><b_1> thing 7, in the catalogue <a_1><b_1> thing 1',
    ],
    [
      'another SID of a history',
      edit('test/S_5_2016-10-2018-11.csv', "['<a_0><b_0>']", "['<a_0><b_2>']"),
      'row 1: item 0 is <a_0><b_2>',
    ],
    [
      'another index',
      edit('index/S.index.json', '<b_3>', '<b_33>'),
      'item 3 is <a_1><b_3> thing 3, elsewhere <a_1><b_33>',
    ],
    ['a hole in the info', edit(info, '\t3\n', '\t30\n'), 'expected ids 0 to 8, each once, got 4'],
    [
      'no rows',
      (folder: string) => ['train', 'valid', 'test'].forEach((s) => rmSync(join(folder, s), { recursive: true })),
      'expected a file of rows such as test/S*.csv',
    ],
    [
      'no items',
      (folder: string) => ['info', 'index'].forEach((s) => rmSync(join(folder, s), { recursive: true })),
      'expected S.item.json or info/S*.txt',
    ],
  ])('%s', (_, change, message) => {
    const converted = copy(change);
    expect(() => fetch(converted)).toThrow(message);
    expect(existsSync(`${converted}-out`)).toBe(false);
  });

  test('no folder', () => expect(() => fetch(join(dir, 'none'))).toThrow('no such folder; check --converted'));
});

const real = join(import.meta.dirname, '../../../shared/data/industrial');
test.skipIf(!existsSync(real))(
  "MiniOneRec's published Industrial files (skipped where they are not here)",
  async () => {
    const out = join(dir, 'industrial');
    const report = importConverted({ converted: real, out, dataset: 'Industrial_and_Scientific' });
    expect(report).toMatchObject({ items: 3686, split: { train: 0, valid: 4532, test: 4533 }, missing: ['train'] });
    expect((await loadDataset(out)).test).toHaveLength(4533);
  },
);
