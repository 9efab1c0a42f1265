/** Several data folders as one: what is written, and each of them apart again, as it was. */
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import fc from '../../fast-check.js';
import { type Dataset, type Item, type Row, SPLITS } from '../../../lib/data/dataset.js';
import { importConverted } from '../../../lib/data/import-converted.js';
import { formatInter } from '../../../lib/data/inter-file.js';
import { formatItems } from '../../../lib/data/item-file.js';
import { joinDatasets, joinOutputs } from '../../../lib/data/join/join-datasets.js';
import { partView } from '../../../lib/data/join/parts.js';
import { loadDataset } from '../../../lib/data/load.js';
import { rowTimes } from '../../../lib/data/row-times.js';
import { catalogueSizeOf } from '../../../lib/sid/default-method.js';
import { promptWords } from '../../../lib/tasks/prompt-words.js';

const root = mkdtempSync(join(tmpdir(), 'sidlab-join-'));
let n = 0;

type Rows = Pick<Dataset, 'train' | 'valid' | 'test'>;

function written(name: string, items: number, rows: Rows, times = false, folder = join(root, `${n++}`)): string {
  mkdirSync(folder, { recursive: true });
  const texts = Array.from({ length: items }, (_, id): Item => {
    return { title: `${name} ${id}`, description: 'd', brand: '', categories: '', extra: { tags: [name] } };
  });
  writeFileSync(join(folder, `${name}.item.json`), formatItems(texts));
  for (const split of SPLITS) {
    writeFileSync(join(folder, `${name}.${split}.inter`), formatInter(rows[split]));
    if (times)
      writeFileSync(join(folder, `${name}.${split}.times`), rows[split].map((_, i) => `${1e9 + i}\n`).join(''));
  }
  return folder;
}

const row = (user: string, history: number[], target: number): Row => ({ user, history, target });
const A: Rows = { train: [row('u', [0], 1), row('v', [1, 2], 0)], valid: [row('u', [0, 1], 2)], test: [row('v', [2], 1)] }; // prettier-ignore
const B: Rows = { train: [row('u', [1], 0)], valid: [], test: [row('u', [1, 0], 1), row('w', [0], 0)] };
const both = (times = [true, true]) => ({ data: [written('a', 3, A, times[0]), written('b', 2, B, times[1])], out: join(root, `${n++}`), dataset: 'ab' }); // prettier-ignore

test('ids and users are kept apart, and the times follow the rows', async () => {
  const given = both();
  const report = await joinDatasets(given);
  expect(report).toMatchObject({ items: 5, split: { train: 3, valid: 1, test: 3 } });
  const joined = await loadDataset(given.out);
  expect(joined.items.map(({ title }) => title)).toEqual(['a 0', 'a 1', 'a 2', 'b 0', 'b 1']);
  expect(joined.items[3]!.extra).toEqual({ tags: ['b'] });
  expect(joined.train).toEqual([row('a/u', [0], 1), row('a/v', [1, 2], 0), row('b/u', [4], 3)]);
  expect(joined.test).toEqual([row('a/v', [2], 1), row('b/u', [4, 3], 4), row('b/w', [3], 3)]);
  expect(rowTimes(joined, 'test')).toEqual(Float64Array.of(1e12, 1e12, 1e12 + 1000));
  expect(joinOutputs(given.out, 'ab').filter((file) => !existsSync(file))).toEqual([]);
  // what chooses the method of the semantic IDs
  expect(catalogueSizeOf(join(given.out, 'ab.emb-lsa.npy'))).toEqual({ rows: 3, items: 5 });
  expect(promptWords({ name: 'x', parts: [{ name: 'Toys' }, { name: 'Office' }] as never }).category).toBe('toys and games, office products'); // prettier-ignore
});

test('without the times of one there are none', async () => {
  const given = both([true, false]);
  await joinDatasets(given);
  expect(rowTimes(await loadDataset(given.out), 'train')).toBeUndefined();
});

test('apart again: each data set as it was alone, whatever the sizes', async () => {
  const sizes = fc.array(fc.record({ items: fc.integer({ min: 1, max: 4 }), rows: fc.array(fc.nat(11), { minLength: 3, maxLength: 3 }) }), { minLength: 1, maxLength: 4 }); // prettier-ignore
  await fc.assert(
    fc.asyncProperty(sizes, fc.integer(), async (sets, seed) => {
      const rows = (items: number, count: number, k: number): Row[] =>
        Array.from({ length: count }, (_, i) => row(`u/${i % 3}`, [(i + k) % items], Math.abs(i * seed + k) % items));
      const data = sets.map(
        ({ items, rows: [train, valid, test] }, k) =>
        written(`s${k}`, items, { train: rows(items, train!, k), valid: rows(items, valid!, 1), test: rows(items, test!, 2) }), // prettier-ignore
      );
      const out = join(root, `${n++}`);
      await joinDatasets({ data, out, dataset: 'all-of-them' });
      const joined = await loadDataset(out);
      let first = 0;
      for (const [k, folder] of data.entries()) {
        const alone = await loadDataset(folder);
        const { dataset, firstItem } = partView(joined, `s${k}`);
        expect([dataset.items, dataset.train, dataset.valid, dataset.test]).toEqual([alone.items, alone.train, alone.valid, alone.test]); // prettier-ignore
        expect(firstItem).toBe(first);
        first += alone.items.length;
      }
    }),
    { numRuns: 6 },
  );
});

test('what does not fit is refused in one line, and nothing is written', async () => {
  const [a, again] = [written('a', 3, A), written('a', 2, B)];
  const out = join(root, `${n++}`);
  await expect(joinDatasets({ data: [a, again], out, dataset: 'x' })).rejects.toThrow(
    /a name for each data set, got a in/,
  );
  const named = written('all', 3, A);
  await expect(joinDatasets({ data: [named], out, dataset: 'x' })).rejects.toThrow('cannot be called all');
  for (const dataset of ['a/b', '../x', '.x']) {
    await expect(joinDatasets({ data: [a], out, dataset })).rejects.toThrow('dataset: expected a name without slashes');
    expect(() => importConverted({ converted: a, out, dataset })).toThrow(`got ${dataset}`);
  }
  await expect(joinDatasets({ data: [join(root, 'none')], out, dataset: 'x' })).rejects.toThrow('no such folder');
  expect(existsSync(out)).toBe(false);
  await joinDatasets({ data: [a], out, dataset: 'x' });
  await expect(joinDatasets({ data: [out], out: `${out}-2`, dataset: 'y' })).rejects.toThrow('joins data sets already');
  const joined = await loadDataset(out);
  expect(() => partView(joined, 'c')).toThrow(`--part: expected one of a, got c of ${out}`);
  expect(() => partView(await0(a), 'a')).toThrow('expected a folder that sidlab join wrote');
  appendFileSync(join(out, 'x.test.inter'), 'a/u\t0\t1\n');
  await expect(loadDataset(out)).rejects.toThrow('run sidlab join again, or remove the file');
  writeFileSync(join(out, 'x.parts.json'), readFileSync(join(out, 'x.parts.json'), 'utf8').replace('"items": 3', '"items": -3')); // prettier-ignore
  await expect(loadDataset(out)).rejects.toThrow('expected data sets with their numbers of items and rows');
});

/** A data set that is not joined. */
const await0 = (dir: string): Dataset => ({ name: 'a', dir, items: [], ...A });
