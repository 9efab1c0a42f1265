/** The kit's measures beside RecBole's own classes, by `test/golden/recbole/make_recbole.py`. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  averagePopularity,
  coverage,
  entropy,
  exposure,
  gini,
  leastPopular,
  tailShare,
} from '../../../lib/evaluate/measures/lists.js';
import { means } from '../../../lib/evaluate/measures/measure.js';
import { averagePrecision, hitRate, ndcg, precision, reciprocalRank } from '../../../lib/evaluate/measures/ranking.js';
import { itemMetrics } from '../../../lib/evaluate/metrics.js';
import { rowTable } from '../../../lib/evaluate/rows/row-table.js';

interface Golden {
  items: number;
  counts: number[];
  targets: number[];
  lists: number[][];
  ks: number[];
  metrics: Record<string, number[]>;
}

const golden = JSON.parse(readFileSync('test/golden/recbole/recbole.json', 'utf8')) as Golden;
const { items, counts, ks, metrics } = golden;
const results = golden.lists.map((list, i) => ({
  ...{ user: `u${i}`, history: [0], target: golden.targets[i]!, items: list },
  scores: list.map((_, rank) => -rank),
}));
const table = rowTable(results);
const tail = leastPopular(counts);

test.each(ks.map((k, i): [number, number] => [k, i]))('at %d', (k, i) => {
  const ours = {
    ...means(table, {
      Hit: hitRate(k),
      Recall: hitRate(k), // of one relevant item
      NDCG: ndcg(k),
      MRR: reciprocalRank(k),
      MAP: averagePrecision(k),
      Precision: precision(k),
      AveragePopularity: averagePopularity(k, counts),
      TailPercentage: tailShare(k, tail),
    }),
    ItemCoverage: coverage(table, k, items),
    GiniIndex: gini(exposure(table, k, items)),
    ShannonEntropy: entropy(exposure(table, k, items)) / exposure(table, k, items).filter((n) => n > 0).length,
  };
  expect(Object.keys(ours).sort()).toEqual(Object.keys(metrics).sort());
  for (const [name, value] of Object.entries(ours)) expect(value, name).toBeCloseTo(metrics[name]![i]!, 12);
  expect(itemMetrics(results, [k])[`NDCG@${k}`]).toBeCloseTo(metrics.NDCG![i]!, 12);
});

test('the tail: bought least, at least one item, none that was never bought', () => {
  expect(leastPopular([3, 0, 1, 2], 0.5)).toEqual(new Set([2]));
  expect(leastPopular([2, 1, 1, 2], 0.5)).toEqual(new Set([1, 2]));
  expect(leastPopular([2, 1, 1, 2], 0.25)).toEqual(new Set([1])); // ties to the smaller id
  expect(leastPopular([0, 5], 0.1)).toEqual(new Set([1]));
});

test('entropy: the log of equal shares, and 0 of nothing', () => {
  expect(entropy([2, 2, 0])).toBeCloseTo(Math.LN2, 12);
  expect([entropy([]), entropy([0, 0]), entropy([7])]).toEqual([0, 0, 0]);
});
