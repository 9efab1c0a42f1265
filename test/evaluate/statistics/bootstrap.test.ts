import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { hitRate, ndcg } from '../../../lib/evaluate/measures/ranking.js';
import type { RowEntry } from '../../../lib/evaluate/rows/row-table.js';
import {
  bootstrapMeans,
  percentileInterval,
  quantile,
  type Resampling,
} from '../../../lib/evaluate/statistics/bootstrap.js';
import { intervalText } from '../../../lib/support/interval-text.js';
import { estimates, metricIntervals } from '../../../lib/evaluate/statistics/intervals.js';
import { measureRows, type Units, unitMeans, unitsOf } from '../../../lib/evaluate/statistics/units.js';
import { Random } from '../../../lib/support/random.js';

const golden = JSON.parse(
  readFileSync(new URL('../../golden/evaluation/statistics.json', import.meta.url), 'utf8'),
) as {
  bootstrap: { ranks: number[]; users: number[]; HR: [number, number]; NDCG: [number, number] }[];
};

const row = (rank: number, user: string | number): RowEntry => ({
  user: String(user),
  target: 0,
  rank,
  score: null,
  historyLength: 1,
  history: [0],
  items: [],
});

const measures = { HR: hitRate(10), NDCG: ndcg(10) };
const unitsOfRows = (table: readonly RowEntry[]): Units => unitsOf(table, measureRows(table, measures), 2);

test('rows of nobody, as tasks of items have, are each by themselves', () => {
  const ranks = Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? 1 : 0));
  const of = (user: (i: number) => string) => metricIntervals(ranks.map((rank, i) => ({ user: user(i), rank })), [10]); // prettier-ignore
  expect(of(() => '')).toEqual(of((i) => `u${i}`));
  expect(of(() => '')['HR@10']![0]).toBeLessThan(0.45);
  expect(unitsOfRows([row(1, ''), row(1, 'a'), row(0, ''), row(1, 'a')]).count).toBe(3);
});

describe.each(['users', 'categories'] satisfies Resampling[])('drawing by %s', (resampling) => {
  test.each(golden.bootstrap)("SciPy's percentile interval, $ranks.length rows", ({ ranks, users, HR, NDCG }) => {
    const table = ranks.map((rank, i) => row(rank, users[i]!));
    const found = estimates(table, measures, { samples: 60_000, resampling });
    // NDCG: quantiles of 60,000 draws, their standard error below 0.0007; hit rates come in steps of a user
    const step = { HR: 1.01 / new Set(users).size, NDCG: 0.003 };
    for (const [metric, ends] of Object.entries({ HR, NDCG })) {
      expect(Math.abs(found[metric]!.low - ends[0])).toBeLessThan(step[metric as keyof typeof step]);
      expect(Math.abs(found[metric]!.high - ends[1])).toBeLessThan(step[metric as keyof typeof step]);
    }
  });

  test('every resample of three users, by its exact probability', () => {
    const units = unitsOfRows([row(1, 'a'), row(1, 'a'), row(0, 'b'), row(0, 'c')]); // b and c are of one category
    const samples = 40_000;
    const means = bootstrapMeans(units, { samples, resampling });
    const counts = new Map<number, number>();
    for (let s = 0; s < samples; s++) counts.set(means[2 * s]!, (counts.get(means[2 * s]!) ?? 0) + 1);
    // k draws of a (2 rows, 2 hits) among 3: HR = 2k / (2k + 3 - k)
    const exact = [0, 1, 2, 3].map((k) => [(2 * k) / (3 + k), [8, 12, 6, 1][k]! / 27] as const);
    expect(counts.size).toBe(4);
    for (const [value, probability] of exact) {
      const share = (counts.get(value) ?? 0) / samples;
      expect(Math.abs(share - probability)).toBeLessThan(4.5 * Math.sqrt((probability * (1 - probability)) / samples));
    }
  });
});

test('both ways to draw agree in mean and spread where users have several rows', () => {
  const random = new Random(5);
  const table = Array.from({ length: 600 }, () => row(random.int(14), random.int(200)));
  const units = unitsOfRows(table);
  const moments = (resampling: Resampling): [number, number] => {
    const samples = 4000;
    const means = bootstrapMeans(units, { samples, resampling });
    const values = Array.from({ length: samples }, (_, s) => means[2 * s + 1]!);
    const mean = values.reduce((sum, x) => sum + x, 0) / samples;
    return [mean, Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / samples)];
  };
  const [one, other] = [moments('users'), moments('categories')];
  expect(Math.abs(one[0] - other[0])).toBeLessThan((5 * one[1]) / Math.sqrt(4000));
  expect(Math.abs(one[1] / other[1] - 1)).toBeLessThan(0.06);
});

test('categories: equal users are one, the means are those of the rows', () => {
  const table = [row(1, 'a'), row(0, 'b'), row(1, 'c'), row(2, 'd'), row(11, 'd')];
  const units = unitsOfRows(table);
  expect([units.count, [...units.sizes], [...units.rows]]).toEqual([4, [2, 1, 1], [1, 1, 2]]);
  const plain = table.reduce((sum, { rank }) => sum + (rank > 0 && rank <= 10 ? 1 / Math.log2(rank + 1) : 0), 0) / 5;
  expect(unitMeans(units)[0]).toBe(3 / 5);
  expect(unitMeans(units)[1]).toBeCloseTo(plain, 14);
});

/**
 * 2,000 simulated data sets: a share of 0.95 has a standard error of 0.0049, so that 0.93 and 0.97 are four of them away
 * and the band can only be left by an interval that is wrong.
 */
test('the 95 % interval holds the true NDCG@10 in 93 to 97 % of 2,000 simulated data sets', () => {
  const random = new Random(17);
  const shares = [0.5, 0.1, 0.1, 0.1, 0.1, 0.1]; // of ranks 0, 1, 2, 4, 8, 12
  const ranks = [0, 1, 2, 4, 8, 12];
  const truth = ranks.reduce(
    (sum, rank, i) => sum + shares[i]! * (rank > 0 && rank <= 10 ? 1 / Math.log2(rank + 1) : 0),
    0,
  );
  let held = 0;
  for (let set = 0; set < 2000; set++) {
    const table = Array.from({ length: 300 }, (_, user) => row(ranks[random.weighted(shares)]!, user));
    const { low, high } = estimates(table, { NDCG: ndcg(10) }, { samples: 400, seed: set }).NDCG!;
    if (low <= truth && truth <= high) held++;
  }
  expect(held / 2000).toBeGreaterThan(0.93);
  expect(held / 2000).toBeLessThan(0.97);
}, 120_000);

test('rows of one user go together: as if each user were asked once', () => {
  const once = Array.from({ length: 100 }, (_, user) => row(user % 3, user));
  const thrice = once.flatMap((entry) => [entry, entry, entry]);
  const [found, expected] = [estimates(thrice, measures), estimates(once, measures)];
  for (const metric of ['HR', 'NDCG']) {
    expect(found[metric]!.low).toBeCloseTo(expected[metric]!.low, 12);
    expect(found[metric]!.high).toBeCloseTo(expected[metric]!.high, 12);
  }
});

test('quantiles between values, and a column of a matrix', () => {
  expect([quantile([0, 10], 0.25), quantile([1, 2, 4], 0.5), quantile([3], 0.9)]).toEqual([2.5, 2, 3]);
  const matrix = Float64Array.from({ length: 202 }, (_, i) => (i % 2 === 0 ? i / 2 : 7));
  expect(percentileInterval(matrix, 0, 2, 0.9).map((x) => x.toFixed(9))).toEqual(['5.000000000', '95.000000000']);
  expect(percentileInterval(matrix, 1, 2)).toEqual([7, 7]);
});

test('no rows, and the same bits from one seed', () => {
  expect(estimates([], measures)).toEqual({ HR: { mean: 0, low: 0, high: 0 }, NDCG: { mean: 0, low: 0, high: 0 } });
  const table = Array.from({ length: 50 }, (_, user) => row(user % 4, user));
  expect(estimates(table, measures)).toEqual(estimates(table, measures));
  expect(estimates(table, measures, { seed: 1 })).not.toEqual(estimates(table, measures, { seed: 2 }));
});

test('as a text, and for a report', () => {
  expect(intervalText(0.1312, [0.1178, 0.1454])).toBe('.131 [.118, .145]');
  expect(intervalText(1, [-0.02, 1])).toBe('1.000 [-.020, 1.000]');
  const found = metricIntervals([row(1, 'a'), row(0, 'b')], [1, 5]);
  expect(Object.keys(found)).toEqual(['HR@1', 'NDCG@1', 'HR@5', 'NDCG@5']);
  expect(found['HR@1']).toEqual([0, 1]);
});
