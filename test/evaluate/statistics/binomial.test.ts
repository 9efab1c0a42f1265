import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { binomial, logFactorial } from '../../../lib/evaluate/statistics/binomial.js';
import { Random } from '../../../lib/support/random.js';

const golden = JSON.parse(
  readFileSync(new URL('../../golden/evaluation/statistics.json', import.meta.url), 'utf8'),
) as {
  binomial: { n: number; p: number; pmf: number[] }[];
};

/** Chi-square of counts against probabilities; cells of fewer than 10 expected are put together. */
function chiSquare(counts: number[], pmf: number[], draws: number): { square: number; cells: number } {
  let [square, cells, count, expected] = [0, 0, 0, 0];
  pmf.forEach((p, k) => {
    count += counts[k] ?? 0;
    expected += p * draws;
    if (expected < 10 && k < pmf.length - 1) return;
    square += (count - expected) ** 2 / Math.max(expected, 1);
    cells++;
    [count, expected] = [0, 0];
  });
  return { square, cells };
}

test.each(golden.binomial)('draws of n $n, p $p have the probabilities of SciPy', ({ n, p, pmf }) => {
  const random = new Random(`${n}/${p}`);
  const draws = 100_000;
  const counts = pmf.map(() => 0);
  for (let i = 0; i < draws; i++) counts[binomial(random, n, p)]!++;
  const { square, cells } = chiSquare(counts, pmf, draws);
  // 4.5 standard deviations of chi-square beyond its mean
  expect(square).toBeLessThan(cells - 1 + 4.5 * Math.sqrt(2 * (cells - 1)));
});

test('a large one: mean and variance of 100,000 trials', () => {
  const random = new Random(3);
  const [n, p, draws] = [100_000, 0.37, 20_000];
  const drawn = Array.from({ length: draws }, () => binomial(random, n, p));
  const mean = drawn.reduce((sum, k) => sum + k, 0) / draws;
  const variance = drawn.reduce((sum, k) => sum + (k - mean) ** 2, 0) / draws;
  const expected = n * p * (1 - p);
  expect(Math.abs(mean - n * p)).toBeLessThan(4 * Math.sqrt(expected / draws));
  expect(Math.abs(variance / expected - 1)).toBeLessThan(4 * Math.sqrt(2 / draws));
});

test('the ends', () => {
  const random = new Random(1);
  expect([binomial(random, 0, 0.5), binomial(random, 9, 0), binomial(random, 9, 1)]).toEqual([0, 0, 9]);
});

test('log factorials on both sides of the series', () => {
  for (const k of [0, 1, 5, 31, 32, 33, 170]) {
    let product = 1;
    for (let i = 2; i <= k; i++) product *= i;
    expect(Math.abs(logFactorial(k) - Math.log(product))).toBeLessThan(1e-12 * Math.max(1, Math.log(product)));
  }
});
