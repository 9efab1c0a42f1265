import fc from '../../fast-check.js';
import { expect, test } from 'vitest';
import {
  coverage,
  exposure,
  gini,
  popularityBias,
  repeatShare,
  targetRepeats,
} from '../../../lib/evaluate/measures/lists.js';
import { means } from '../../../lib/evaluate/measures/measure.js';
import {
  hitRate,
  measurableKs,
  ndcg,
  rankingMeasures,
  reciprocalRank,
} from '../../../lib/evaluate/measures/ranking.js';
import { searchError } from '../../../lib/evaluate/measures/search.js';
import {
  byCategory,
  byHistoryLength,
  byMonth,
  byPopularity,
  sliceMetrics,
} from '../../../lib/evaluate/measures/slices.js';
import { itemMetrics } from '../../../lib/evaluate/metrics.js';
import { type RowEntry, rowTable } from '../../../lib/evaluate/rows/row-table.js';

const entry = (fields: Partial<RowEntry>): RowEntry => ({
  ...{ user: 'A', target: 0, rank: 0, score: null, historyLength: 1, history: [0], items: [] },
  ...fields,
});

test('HR, NDCG and MRR against lists of 0 and 1, as RecBole has them', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(12), { minLength: 1 }), fc.integer({ min: 1, max: 12 }), (ranks, k) => {
      const lists = ranks.map((rank) => Array.from({ length: k }, (_, i) => Number(i + 1 === rank)));
      const sum = (of: (list: number[]) => number): number => lists.reduce((total, list) => total + of(list), 0);
      const found = means(
        ranks.map((rank) => entry({ rank })),
        { hit: hitRate(k), ndcg: ndcg(k), mrr: reciprocalRank(k) },
      );
      const n = ranks.length;
      expect(found.hit).toBeCloseTo(sum((list) => Math.max(...list)) / n, 12);
      const dcg = (list: number[]): number => list.reduce((total, x, i) => total + (x * Math.LN2) / Math.log(i + 2), 0);
      expect(found.ndcg).toBeCloseTo(sum(dcg) / n, 12);
      expect(found.mrr).toBeCloseTo(sum((list) => list.reduce((total, x, i) => total + x / (i + 1), 0)) / n, 12);
    }),
  );
});

test('the same numbers as itemMetrics; SID ranks are another field', () => {
  const results = [3, 1, 0].map((at, i) => ({
    ...{ user: `u${i}`, history: [0], target: 9, scores: [3, 2, 1] },
    items: [4, 5, 6].map((id, rank) => (rank + 1 === at ? 9 : id)),
  }));
  const table = rowTable(results);
  expect(means(table, rankingMeasures([1, 3]))).toMatchObject(itemMetrics(results, [1, 3]));
  expect(() => means(table, { sid: hitRate(1, 'sidRank') })).toThrow('rows have no sidRank; give rowTable an index');
  expect(means([entry({ rank: 2, sidRank: 1 })], { sid: hitRate(1, 'sidRank'), item: hitRate(1) })).toEqual({
    sid: 1,
    item: 0,
  });
});

test('k beyond the lists is refused, and left out where nobody asked for it', () => {
  expect(measurableKs(10)).toEqual([1, 3, 5, 10]);
  expect(measurableKs(10, [2, 10])).toEqual([2, 10]);
  expect(() => measurableKs(10, [5, 50])).toThrow('expected k of at most 10, the length of the lists, got 50');
  expect(() => hitRate(0)).toThrow('expected k to be a positive integer, got 0');
});

test('coverage counts items of the first k once', () => {
  const table = [entry({ items: [0, 1, 5] }), entry({ items: [1, 2] }), entry({ items: [99, -1] })];
  expect([coverage(table, 1, 10), coverage(table, 2, 10), coverage(table, 9, 10)]).toEqual([0.2, 0.3, 0.4]);
  expect([...exposure(table, 2, 3)]).toEqual([1, 2, 1]);
});

test('Gini: the mean absolute difference, halved, over the mean', () => {
  expect(gini([0, 0, 0, 4])).toBe(0.75);
  expect([gini([2, 2, 2]), gini([0, 0]), gini([])]).toEqual([0, 0, 0]);
  fc.assert(
    fc.property(fc.array(fc.nat(20), { minLength: 1, maxLength: 20 }), (counts) => {
      const mean = counts.reduce((sum, x) => sum + x, 0) / counts.length;
      if (mean === 0) return;
      const apart = counts.flatMap((x) => counts.map((y) => Math.abs(x - y)));
      const plain = apart.reduce((sum, x) => sum + x, 0) / apart.length / (2 * mean);
      expect(gini(counts)).toBeCloseTo(plain, 12);
    }),
  );
});

test('popularity bias: recommended less bought', () => {
  const table = [entry({ items: [0, 1, 2], target: 2 }), entry({ items: [0, 9], target: 1 })];
  const { recommended, targets, bias } = popularityBias(table, 2, [0.9, 0.5, 0.1]);
  expect(recommended).toBeCloseTo((0.9 + 0.5 + 0.9) / 3, 12);
  expect(targets).toBeCloseTo(0.3, 12);
  expect(bias).toBeCloseTo(recommended - targets, 12);
});

test('repeats of the history, in lists and in targets', () => {
  const row = entry({ items: [3, 7, 4], history: [3, 4], target: 4 });
  expect([repeatShare(1)(row), repeatShare(2)(row), repeatShare(9)(row)]).toEqual([1, 0.5, 2 / 3]);
  expect([targetRepeats(row), targetRepeats(entry({ target: 5 })), repeatShare(3)(entry({}))]).toEqual([1, 0, 0]);
});

test('slices add up to the whole; labels of the kit', () => {
  const table = [
    entry({ rank: 1, popularity: 0, popularityPercentile: 0.1, historyLength: 1, category: '', time: 0 }),
    entry({ rank: 0, popularity: 3, popularityPercentile: 0.1, historyLength: 4, category: 'x' }),
    entry({ rank: 1, popularity: 9, popularityPercentile: 0.25, historyLength: 10, category: 'x' }),
    entry({ rank: 2, popularity: 9, popularityPercentile: 0.99, historyLength: 9, category: 'x' }),
  ];
  const slices = sliceMetrics(table, byPopularity, { HR: hitRate(1) });
  expect(slices).toEqual([
    { slice: '1st quarter', rows: 1, HR: 0 },
    { slice: '2nd quarter', rows: 1, HR: 1 },
    { slice: '4th quarter', rows: 1, HR: 0 },
    { slice: 'cold', rows: 1, HR: 1 },
  ]);
  expect(table.map(byHistoryLength())).toEqual(['1', '2 to 4', '10 and more', '5 to 9']);
  expect(table.map(byCategory)).toEqual(['none', 'x', 'x', 'x']);
  expect(table.map(byMonth)).toEqual(['1970-01', undefined, undefined, undefined]);
  const lengths = sliceMetrics(table, byHistoryLength([1, 5, 20]), { HR: hitRate(1) });
  expect(lengths.map(({ slice, rows }) => [slice, rows])).toEqual([
    ['1 to 4', 2],
    ['5 to 19', 2],
  ]);
  expect(sliceMetrics([entry({})], byPopularity, {})).toEqual([]);
});

test('a search error: scored above what was kept, beyond rounding, and not in the list', () => {
  const found = (fields: Partial<RowEntry>): number => searchError(entry({ target: 99, ...fields }));
  expect(found({ rank: 0, logProb: -3, lowestScore: -4 })).toBe(1);
  expect(found({ rank: 0, logProb: -5, lowestScore: -4 })).toBe(0);
  expect(found({ rank: 0, logProb: -4 + 5e-5, lowestScore: -4 })).toBe(0);
  expect(found({ rank: 2, logProb: -3, lowestScore: -4 })).toBe(0);
  expect(found({ rank: 0, lowestScore: -4 })).toBe(0);
  expect(found({ rank: 0, logProb: -3 })).toBe(0);
  // what the history has may have been left out of all lists
  const again = { rank: 0, logProb: -3, lowestScore: -4, target: 7, history: [7, 8] };
  expect([found({ ...again, items: [1, 2] }), found({ ...again, items: [1, 8] })]).toEqual([0, 1]);
});
