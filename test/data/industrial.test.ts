import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { popularity } from '../../lib/baselines/popularity.js';
import { transition } from '../../lib/baselines/transition.js';
import { formatConverted, formatInfo, readConverted, readInfo } from '../../lib/data/converted-files.js';
import type { Dataset } from '../../lib/data/dataset.js';
import { type FilterReport, filterStage } from '../../lib/data/filter/filter-stage.js';
import { readItems } from '../../lib/data/item-file.js';
import { loadDataset } from '../../lib/data/load.js';
import { readIndex, writeIndex } from '../../lib/data/sid-index.js';
import { itemMetrics } from '../../lib/evaluate/metrics.js';

const folder = join(import.meta.dirname, '../../../shared/data/industrial');
const published = join(folder, 'Industrial_and_Scientific');
const here = existsSync(folder);
if (!here) console.warn('skipped: the real data (../shared/data/industrial) are not here'); // eslint-disable-line no-console

describe.skipIf(!here)('the raw Industrial data', () => {
  const out = mkdtempSync(join(tmpdir(), 'sidlab-'));
  let report: FilterReport;
  let data: Dataset;
  beforeAll(async () => {
    const [reviews, meta] = [join(folder, 'raw/reviews.jsonl.gz'), join(folder, 'raw/meta.jsonl.gz')];
    report = await filterStage({ reviews, meta, out, dataset: 'Industrial', userK: 2, itemK: 1 });
    data = await loadDataset(out);
  });
  afterAll(() => rmSync(out, { recursive: true }));

  test('keeps every row and drops the 145 items that nobody bought', () => {
    expect(report).toMatchObject({ users: 3285, items: 3541, interactions: 22743 });
    expect(report.split).toEqual({ train: 15566, valid: 1946, test: 1946 });
    expect(Object.values(report.removed).every((count) => count === 0)).toBe(true);
    expect(data.items).toHaveLength(3541);
    expect([data.train, data.valid, data.test].map((rows) => rows.length)).toEqual([15566, 1946, 1946]);
  });

  test.each([
    ['popularity', popularity, [0.0319, 0.0432, 0.0694, 0.0281]],
    ['transition', transition, [0.0894, 0.1095, 0.1326, 0.0775]],
  ] as const)('%s gives the figures measured outside the kit', (_, baseline, expected) => {
    const metrics = itemMetrics(baseline(data.train, data.test));
    const rounded = ['HR@5', 'HR@10', 'HR@20', 'NDCG@10'].map((name) => Number(metrics[name]!.toFixed(4)));
    expect(rounded).toEqual(expected);
  });
});

describe.skipIf(!here)("MiniOneRec's published Industrial files", () => {
  const items = here ? readItems(`${published}.item.json`) : [];
  const index = here ? readIndex(`${published}.index.json`, items.length) : [];

  test('the info file comes out byte for byte, and reads back', () => {
    expect(formatInfo(items, index)).toBe(readFileSync(`${published}.info.txt`, 'utf8'));
    const info = readInfo(`${published}.info.txt`);
    expect(info.map(({ item, title, sid }) => [item, title, sid])).toEqual(
      items.map(({ title }, id) => [id, title, index[id]!.join('')]),
    );
  });

  test('the index is written back byte for byte', () => {
    const dir = mkdtempSync(join(tmpdir(), 'sidlab-'));
    writeIndex(join(dir, 'index.json'), index);
    expect(readFileSync(join(dir, 'index.json'), 'utf8')).toBe(readFileSync(`${published}.index.json`, 'utf8'));
    rmSync(dir, { recursive: true });
  });

  test.each([
    ['valid', 4532],
    ['test', 4533],
  ])('the %s rows come out byte for byte from their users and ids', (split, count) => {
    const path = `${published}.${split}.csv`;
    const rows = readConverted(path).map(({ user, history, target }) => ({ user, history, target }));
    expect(rows).toHaveLength(count);
    expect(formatConverted(rows, items, index) === readFileSync(path, 'utf8')).toBe(true);
  });
});
