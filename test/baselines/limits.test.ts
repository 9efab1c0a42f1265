/** Baselines and failure modes at their bounds: lists of k items, options out of range, one row, none. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { badCases } from '../../lib/badcase/bad-cases.js';
import { baselineStage } from '../../lib/baselines/baseline-stage.js';
import { popularity } from '../../lib/baselines/popularity.js';
import { transition } from '../../lib/baselines/transition.js';
import type { Dataset, Row } from '../../lib/data/dataset.js';
import { formatInter } from '../../lib/data/inter-file.js';
import { formatItems } from '../../lib/data/item-file.js';
import { readResults } from '../../lib/evaluate/results-file.js';

const train: Row[] = [
  { user: 'U', history: [1, 2], target: 3 },
  { user: 'V', history: [0], target: 3 },
  { user: 'U', history: [1, 2, 3], target: 2 },
];
const asked: Row[] = [{ user: 'W', history: [1], target: 3 }];

test.each([1, 2, 3, 4])('lists of %i items, and no more than were seen', (k) => {
  const [popular, next] = [popularity, transition].map((baseline) => baseline(train, asked, { topK: k })[0]!);
  expect(popular!.items).toEqual([2, 3, 1, 0].slice(0, k)); // 2 and 3 were bought twice, counted in the order 1 2 3 0
  expect([popular!.items.length, popular!.scores.length, next!.items.length, next!.scores.length]).toEqual([
    k,
    k,
    k,
    k,
  ]);
  expect(popularity(train, asked, { topK: 9 })[0]!.items.slice(0, k)).toEqual(popular!.items);
  expect(transition(train, asked, { topK: 9 })[0]!.items.slice(0, k)).toEqual(next!.items);
});

const items = Array.from({ length: 4 }, (_, i) => ({ title: `item ${i}`, description: '', brand: '', categories: '' }));

test('the stage refuses a k that is no length, and tells its time', async () => {
  const data = mkdtempSync(join(tmpdir(), 'sidlab-limits-'));
  writeFileSync(join(data, 'Toys.item.json'), formatItems(items));
  for (const split of ['train', 'valid', 'test']) {
    writeFileSync(join(data, `Toys.${split}.inter`), formatInter(split === 'train' ? train : asked));
  }
  for (const topK of [0, -1, 1.5, 0.5]) {
    await expect(baselineStage({ baseline: 'popularity', data, topK })).rejects.toThrow(
      `baseline: expected topK to be a whole number of 1 or more, got ${topK}`,
    );
  }
  const before = performance.now();
  const report = await baselineStage({ baseline: 'transition', data, topK: 1 });
  expect(report.seconds).toBeGreaterThan(0);
  expect(report.seconds).toBeLessThanOrEqual((performance.now() - before) / 1000);
  expect((await readResults(report.results)).map((result) => result.items)).toEqual([[2]]);
});

const dataset: Dataset = { name: 'Toys', dir: '', items, train, valid: [], test: [] };

test('failure modes: bounds of the options', () => {
  for (const tailShare of [0, 1, -0.1, 1.1]) {
    expect(() => badCases([], dataset, { tailShare })).toThrow(
      `badcase: expected tailShare to be a number above 0, below 1, got ${tailShare}`,
    );
  }
  for (const topK of [0, 0.5, 1.5]) {
    expect(() => badCases([], dataset, { topK })).toThrow(
      `badcase: expected topK to be a whole number of 1 or more, got ${topK}`,
    );
  }
});

test('failure modes of one row that fails, and of none', () => {
  const failed = { user: 'W', history: [1], target: 3, items: [0], scores: [0] };
  const { modes } = badCases([failed], dataset, { topK: 1 });
  expect(modes['short history']).toMatchObject({ rows: 1, count: 1, share: 1, lift: null });
  expect(badCases([], dataset)).toMatchObject({ rows: 0, failed: 0, cases: [], ranks: [] });
  expect(badCases([], dataset).modes['short history']).toMatchObject({ rows: 0, count: 0, share: 0, lift: null });
});
