/** One folder filled by filter, join and import after one another: no file of an earlier source passes for the rows' own. */
import { existsSync, linkSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { convert } from '../../../lib/data/convert.js';
import type { FilterStageOptions } from '../../../lib/data/filter/filter-options.js';
import { filterStage } from '../../../lib/data/filter/filter-stage.js';
import { importConverted } from '../../../lib/data/import-converted.js';
import { joinDatasets } from '../../../lib/data/join/join-datasets.js';
import { loadDataset } from '../../../lib/data/load.js';
import { rowTimes } from '../../../lib/data/row-times.js';
import { writeSample } from '../../../lib/data/sample/sample.js';
import { writeIndex } from '../../../lib/data/sid-index.js';
import { sidStage } from '../../../lib/sid/sid-stage.js';
import { catalogueSizeOf } from '../../../lib/sid/default-method.js';

const root = mkdtempSync(join(tmpdir(), 'sidlab-sources-'));
const at = (...names: string[]): string => join(root, ...names);
let raw: { reviews: string; meta: string };
const untimed = at('x.inter.json');

/** Fills a folder with the data set `S`. */
const SOURCES: Record<string, (out: string) => Promise<unknown>> = {
  'filter with times and review texts': (out) => filterStage({ ...raw, out, dataset: 'S', reviewTexts: true }),
  'filter without times': (out) => filterStage({ ...loo, reviews: untimed, out, dataset: 'S' }),
  'join of timed folders': (out) => joinDatasets({ data: [at('one'), at('two')], out, dataset: 'S' }),
  'join, one of them without times': (out) => joinDatasets({ data: [at('one'), at('three')], out, dataset: 'S' }),
  import: (out) => Promise.resolve(importConverted({ converted: at('published'), out, dataset: 'S' })),
};
const loo: Pick<FilterStageOptions, 'userK' | 'itemK' | 'split'> = { userK: 2, itemK: 1, split: 'leave-one-out' };

beforeAll(async () => {
  const { reviews, meta } = writeSample({ out: at('raw'), size: 'tiny' });
  raw = { reviews, meta };
  writeFileSync(untimed, JSON.stringify({ u: ['a', 'b', 'c', 'd'], v: ['d', 'c', 'b', 'a'] }));
  for (const dataset of ['one', 'two']) await filterStage({ ...raw, out: at(dataset), dataset });
  await filterStage({ ...loo, reviews: untimed, out: at('three'), dataset: 'three' });
  await filterStage({ ...raw, out: at('published'), dataset: 'S' });
  const { items } = await loadDataset(at('published'));
  writeIndex(
    at('published', 'S.index.json'),
    items.map((_, i) => [`<a_${i}>`]),
  );
  await convert({ data: at('published'), out: at('published') });
});

/** What later stages read of a folder beside items and rows. */
async function besideRows(out: string) {
  const dataset = await loadDataset(out);
  return {
    times: (['train', 'valid', 'test'] as const).map((split) => rowTimes(dataset, split)),
    parts: dataset.parts,
    size: catalogueSizeOf(join(out, 'S.emb-lsa.npy')),
    texts: existsSync(join(out, 'S.review.json')),
  };
}

const names = Object.keys(SOURCES);
const pairs = names.flatMap((before) => names.map((after) => [before, after] as const));

test.each(pairs)('%s, then %s', async (before, after) => {
  const [fresh, used] = [mkdtempSync(at('fresh-')), mkdtempSync(at('used-'))];
  await SOURCES[after]!(fresh);
  await SOURCES[before]!(used);
  await SOURCES[after]!(used);
  const expected = await besideRows(fresh);
  // review texts name users and items by the numbers of a filter: only a filter makes or removes them
  const keeps = !after.startsWith('filter') && before.includes('review texts');
  expect(await besideRows(used)).toEqual({ ...expected, texts: keeps || expected.texts });
});

describe('what is read is not written over', () => {
  const files = (folder: string) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => [entry.name, readFileSync(join(entry.parentPath, entry.name), 'utf8')]);

  test.each(['itself', 'a link', 'a hard link'])('filter: its reviews as %s', async (how) => {
    const folder = mkdtempSync(at('own-'));
    const source = how === 'itself' ? join(folder, 'S.inter.json') : at(`source ${how}.inter.json`);
    writeFileSync(source, readFileSync(untimed));
    if (how === 'a link') symlinkSync(source, join(folder, 'S.inter.json'));
    if (how === 'a hard link') linkSync(source, join(folder, 'S.inter.json'));
    const before = [readFileSync(source), files(folder)];
    await expect(filterStage({ ...loo, reviews: source, out: folder, dataset: 'S' })).rejects.toThrow(
      'which is the same file; name another --out or --dataset',
    );
    expect([readFileSync(source), files(folder)]).toEqual(before);
    await filterStage({ ...loo, reviews: source, out: folder, dataset: 'T' });
  });

  test('filter: its item texts; join: one of its folders; import: the published files', async () => {
    const before = files(root);
    const meta = at('published', 'S.item.json');
    const own = filterStage({ ...loo, reviews: untimed, meta, out: at('published'), dataset: 'S' });
    await expect(own).rejects.toThrow(`expected to read ${meta}, and to write ${meta}`);
    const data = [at('one'), at('two')];
    await expect(joinDatasets({ data, out: at('two'), dataset: 'two' })).rejects.toThrow('join: expected to read');
    const converted = at('published');
    expect(() => importConverted({ converted, out: converted, dataset: 'S' })).toThrow('import: expected to read');
    expect(files(root)).toEqual(before);
  });

  test('sid: the index that it starts from', async () => {
    const [embeddings, index] = [at('published', 'S.emb-lsa.npy'), at('published', 'S.index.json')];
    const own = sidStage({ embeddings, method: 'rqkmeans-plus', startIndex: index });
    await expect(own).rejects.toThrow(`sid: expected to read ${index}`);
  });
});
