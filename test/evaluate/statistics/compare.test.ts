import { readFileSync } from 'node:fs';
import fc from '../../fast-check.js';
import { describe, expect, test } from 'vitest';
import { hitRate, ndcg } from '../../../lib/evaluate/measures/ranking.js';
import type { RowEntry } from '../../../lib/evaluate/rows/row-table.js';
import { compareTables } from '../../../lib/evaluate/statistics/compare.js';
import { dealRunsTest } from '../../../lib/evaluate/statistics/deal-runs.js';
import { signFlipTest } from '../../../lib/evaluate/statistics/sign-flip.js';
import { Random } from '../../../lib/support/random.js';

const golden = JSON.parse(
  readFileSync(new URL('../../golden/evaluation/statistics.json', import.meta.url), 'utf8'),
) as {
  signFlip: Record<'exact' | 'drawn', { differences: number[]; p: number }[]>;
  runs: { sides: [number[], number[]]; p: number };
};

const table = (ranks: readonly number[]): RowEntry[] =>
  ranks.map((rank, user) => ({
    ...{ user: String(user), target: user, rank, score: null, historyLength: 1 },
    ...{ history: [0], items: [] },
  }));

/** All signs, one after the other. */
function everySign(differences: readonly number[]): number {
  const observed = Math.abs(differences.reduce((sum, d) => sum + d, 0));
  let asFar = 0;
  for (let signs = 0; signs < 2 ** differences.length; signs++) {
    const total = differences.reduce((sum, d, i) => sum + ((signs >> i) & 1 ? d : -d), 0);
    if (Math.abs(total) >= observed - 1e-9) asFar++;
  }
  return asFar / 2 ** differences.length;
}

describe('sign flips', () => {
  test.each(golden.signFlip.exact)("SciPy's exact p $p", ({ differences, p }) => {
    const found = signFlipTest(differences);
    expect(found.exact).toBe(true);
    expect(found.p).toBeCloseTo(p, 10);
  });

  test.each(golden.signFlip.drawn)("SciPy's drawn p $p", ({ differences, p }) => {
    const found = signFlipTest(differences, { permutations: 100_000 });
    expect(found.exact).toBe(false);
    expect(Math.abs(found.p - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / 70_000) + 1e-5);
  });

  test('all signs of few differences, equal ones among them', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 9 }), (differences) => {
        expect(signFlipTest(differences).p).toBeCloseTo(everySign(differences), 10);
      }),
      { numRuns: 60 },
    );
  });

  test('grouped draws are as far as single ones: sizes many times over', () => {
    const random = new Random(2);
    const sizes = Array.from({ length: 30 }, () => random.normal() + 0.05);
    const [single, counts] = [sizes.flatMap((d) => [d, d, d, d]), sizes.map(() => 4)];
    const grouped = signFlipTest(sizes, { permutations: 40_000 }, counts);
    const plain = signFlipTest(
      single.map((d, i) => d * (1 + i * 1e-7)),
      { permutations: 40_000 },
    ); // no two alike
    expect([grouped.exact, plain.exact]).toEqual([false, false]);
    expect(Math.abs(grouped.p - plain.p)).toBeLessThan(0.015);
  });

  test('no difference', () => {
    expect(signFlipTest([0, 0])).toEqual({ p: 1, exact: true });
    expect(signFlipTest([])).toEqual({ p: 1, exact: true });
  });

  test('p is uniform where there is no difference: 5 % of 2,000 are below 0.05', () => {
    const random = new Random(8);
    let below = 0;
    for (let set = 0; set < 2000; set++) {
      const differences = Array.from({ length: 40 }, () => random.normal());
      if (signFlipTest(differences, { permutations: 199, seed: set }).p <= 0.05) below++;
    }
    expect(Math.abs(below / 2000 - 0.05)).toBeLessThan(4 * Math.sqrt((0.05 * 0.95) / 2000));
  }, 60_000);
});

test("dealing runs anew: SciPy's p, and another seed's when there are too many", () => {
  const { sides, p } = golden.runs;
  expect(dealRunsTest(sides.flat(), 3).p).toBeCloseTo(p, 12);
  expect(dealRunsTest([3, 4, 1, 2], 2)).toEqual({ p: 2 / 6, exact: true });
  expect(dealRunsTest([1, 2, 4], 2).p).toBe(1 / 3); // apart by 2.5, the others by 0.5 and 2
  const random = new Random(4);
  const values = Array.from({ length: 20 }, (_, i) => random.normal() + (i < 10 ? 0.4 : 0));
  expect(dealRunsTest(values, 10).exact).toBe(false);
});

describe('two sides', () => {
  const random = new Random(6);
  const second = Array.from({ length: 400 }, () => random.int(12));
  const better = second.map((rank) => (random.next() < 0.2 && rank !== 1 ? 1 : rank));
  const measures = { 'HR@1': hitRate(1), 'NDCG@10': ndcg(10) };

  test('a run that has more hits is better, the other way round worse, itself no different', () => {
    const [hits, gain] = compareTables(table(better), table(second), measures);
    expect(hits).toMatchObject({ metric: 'HR@1', verdict: 'better' });
    expect(hits!.low).toBeGreaterThan(0);
    expect(hits!.difference).toBeCloseTo(hits!.a - hits!.b, 12);
    expect(gain!.verdict).toBe('better');
    const [mirror] = compareTables(table(second), table(better), measures);
    expect(mirror).toMatchObject({ verdict: 'worse', p: hits!.p });
    expect([mirror!.low, mirror!.high].map((x) => x.toFixed(9))).toEqual(
      [-hits!.high, -hits!.low].map((x) => x.toFixed(9)),
    );
    const [same] = compareTables(table(second), table(second), measures);
    expect(same).toMatchObject({ difference: 0, low: 0, high: 0, p: 1, verdict: 'no difference shown' });
  });

  test('hit rates of a row a user: McNemar, the exact binomial of the rows that differ', () => {
    const a = [1, 1, 1, 1, 1, 1, 0, 1, 0, 1];
    const b = [0, 0, 0, 0, 0, 0, 1, 1, 0, 1]; // 6 against 1 of 7: 2 (1 + 7) / 128
    expect(compareTables(table(a), table(b), { HR: hitRate(1) })[0]!.p).toBeCloseTo(16 / 128, 12);
  });

  test('pairing counts: the same change is seen among rows that vary more than it', () => {
    const shuffled = new Random(1).shuffle([...better]);
    const paired = compareTables(table(better), table(second), measures)[1]!;
    const unpaired = compareTables(table(shuffled), table(second), measures)[1]!;
    expect(paired.high - paired.low).toBeLessThan(0.7 * (unpaired.high - unpaired.low));
  });

  test('several seeds a side: the interval holds their spread too', () => {
    const noisy = (shift: number, seed: number): RowEntry[] => {
      const r = new Random(`seed ${seed}`);
      return table(second.map((rank) => (r.next() < shift ? 1 : rank)));
    };
    const a = [0.05, 0.3, 0.12].map(noisy);
    const b = [0, 0.02, 0.01].map((shift, i) => noisy(shift, 10 + i));
    const [found] = compareTables(a, b, measures);
    const [single] = compareTables(a[2]!, b[2]!, measures);
    expect(found!.high - found!.low).toBeGreaterThan(1.5 * (single!.high - single!.low));
    expect(found!.runsP).toBeCloseTo(2 / 20, 12);
    expect(found!.a).toBeCloseTo(
      a.reduce((sum, t) => sum + t.filter(({ rank }) => rank === 1).length / 1200, 0),
      12,
    );
  });

  test('runs that differ only by seed stay apart from 0 by chance alone', () => {
    const [a, b] = [0.3, 0].map((shift) => table(second.map((rank) => (random.next() < shift ? 1 : rank))));
    const [found] = compareTables([a!, b!], [b!, a!], measures);
    expect(found).toMatchObject({ difference: 0, verdict: 'no difference shown', runsP: 1 });
  });

  test('other rows', () => {
    expect(() => compareTables(table([1, 2]), table([1]), measures)).toThrow(
      'run 2: expected 2 rows like the first, got 1',
    );
    const other = table([1, 2]).map((row) => ({ ...row, user: `${row.user}!` }));
    expect(() => compareTables(table([1, 2]), other, measures)).toThrow(
      /row 1 is of user "0!" and item 0 .* same rows/,
    );
    expect(() => compareTables([], table([1]), measures)).toThrow('expected rows on either side');
  });
});
