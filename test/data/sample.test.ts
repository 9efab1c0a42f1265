import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { popularity } from '../../lib/baselines/popularity.js';
import { transition } from '../../lib/baselines/transition.js';
import type { Row } from '../../lib/data/dataset.js';
import { filterStage } from '../../lib/data/filter/filter-stage.js';
import { filterInteractions } from '../../lib/data/filter/filter.js';
import { loadDataset } from '../../lib/data/load.js';
import { sampleCatalogue, sampleItems, writeSample } from '../../lib/data/sample/sample.js';
import { itemMetrics } from '../../lib/evaluate/metrics.js';

/** The stage's default for files of this format. */
const AMAZON_DATES = { from: '1996-10', to: '2018-10' };

test('the same seed writes the same bytes, another seed others; both go through the filter', async () => {
  const dirs = [0, 1, 2].map(() => mkdtempSync(join(tmpdir(), 'sidlab-')));
  const reports = dirs.map((out, i) => writeSample({ out, size: 'tiny', seed: i === 2 ? 8 : 7 }));
  const bytes = (i: number, file: string) => readFileSync(join(dirs[i]!, file)).toString('base64');
  for (const file of ['reviews.jsonl.gz', 'meta.jsonl.gz']) {
    expect(bytes(0, file)).toBe(bytes(1, file));
    expect(bytes(0, file)).not.toBe(bytes(2, file));
  }
  const { reviews, meta } = reports[0]!;
  const report = await filterStage({ reviews, meta, out: dirs[0]!, dataset: 'Sample' });
  const { catalogue, reviewed } = { catalogue: sampleCatalogue({ size: 'tiny', seed: 7 }), reviewed: reports[0]! };
  expect(reviewed).toMatchObject({ users: 120, items: 60, reviewCount: catalogue.reviews.length });
  const { counts, ...rest } = filterInteractions(catalogue.reviews, sampleItems(catalogue.items), AMAZON_DATES);
  expect(report).toMatchObject(counts);
  const { items, train, valid, test: last } = await loadDataset(dirs[0]!);
  expect({ items, train, valid, test: last }).toEqual({
    items: rest.items,
    train: rest.train,
    valid: rest.valid,
    test: rest.test,
  });
  for (const dir of dirs) rmSync(dir, { recursive: true });
});

test('an unknown size', () => {
  expect(() => sampleCatalogue({ size: 'huge' as 'tiny' })).toThrow(
    'expected size to be one of tiny, small, got "huge"',
  );
});

describe.each([42, 1])('the small sample, seed %i', (seed) => {
  const { reviews, items } = sampleCatalogue({ size: 'small', seed });
  const data = filterInteractions(reviews, sampleItems(items));
  const hits = (results: ReturnType<typeof popularity>) => itemMetrics(results)['HR@10']!;
  const [popular, last] = [hits(popularity(data.train, data.test)), hits(transition(data.train, data.test))];

  test('about 1,500 users, 600 items with texts of their own, 15,000 reviews', () => {
    expect(new Set(reviews.map(({ user }) => user)).size).toBe(1500);
    expect(new Set(items.map(({ title }) => title)).size).toBe(600);
    expect(Math.abs(reviews.length - 15_000)).toBeLessThan(1000);
  });

  test('popularity, transition and the whole history differ clearly', () => {
    const whole = hits(wholeHistory(data.train, data.test));
    const strangers = data.test.map((row, i) => ({
      ...row,
      history: data.test[(i + 611) % data.test.length]!.history,
    }));
    expect(popular).toBeGreaterThan(0.05);
    expect(popular).toBeLessThan(0.12);
    expect(last).toBeGreaterThan(1.5 * popular);
    expect(whole).toBeGreaterThan(1.4 * last);
    expect(hits(wholeHistory(data.train, strangers))).toBeLessThan(1.2 * popular);
  });

  test('cold and tail items, short histories and repeats are among the test rows', () => {
    const seen = new Map<number, number>();
    for (const { target } of data.train) seen.set(target, (seen.get(target) ?? 0) + 1);
    const share = (keep: (row: Row) => boolean) => data.test.filter(keep).length / data.test.length;
    expect(share(({ target }) => !seen.has(target))).toBeGreaterThan(0.03);
    expect(share(({ target }) => (seen.get(target) ?? 0) <= 5)).toBeGreaterThan(0.1);
    expect(share(({ history }) => history.length <= 2)).toBeGreaterThan(0.03);
    expect(share(({ history, target }) => history.includes(target))).toBeGreaterThan(0.02);
  });
});

/** Every item of the history votes for what came anywhere after it in the train rows; older ones and longer gaps less. */
function wholeHistory(train: Row[], test: Row[], decay = 0.8): ReturnType<typeof popularity> {
  const votes = new Map<number, Map<number, number>>();
  const total = new Map<number, number>();
  for (const { history, target } of train) {
    for (const [lag, item] of [...history].reverse().entries()) {
      const followers = votes.get(item) ?? new Map<number, number>();
      followers.set(target, (followers.get(target) ?? 0) + decay ** lag);
      votes.set(item, followers);
      total.set(item, (total.get(item) ?? 0) + decay ** lag);
    }
  }
  return test.map((row) => {
    const scores = new Map<number, number>();
    for (const [lag, item] of [...row.history].reverse().entries()) {
      for (const [next, vote] of votes.get(item) ?? []) {
        scores.set(next, (scores.get(next) ?? 0) + (decay ** lag * vote) / (total.get(item)! + 2));
      }
    }
    const list = [...scores].sort((a, b) => b[1] - a[1]).slice(0, 50);
    return { ...row, items: list.map(([item]) => item), scores: list.map(([, score]) => score) };
  });
}
