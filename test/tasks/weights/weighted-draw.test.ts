/** Systematic sampling: the expectation is exact, and no count is further from it than rounding. */
import fc from '../../fast-check.js';
import { expect, test } from 'vitest';
import { systematicDraw } from '../../../lib/tasks/weights/weighted-draw.js';

const weights = fc
  .array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 12 })
  .filter((of) => of.some((weight) => weight > 0));
const count = fc.integer({ min: 1, max: 30 });

function countsOf(of: readonly number[], draws: number, u: number): number[] {
  const counts = of.map(() => 0);
  for (const i of systematicDraw(of, draws, u)) counts[i]!++;
  return counts;
}

test('the mean over u is count * w / sum', () => {
  fc.assert(
    fc.property(weights, count, (of, draws) => {
      const total = of.reduce((a, b) => a + b, 0);
      // with whole weights the counts are constant where u * total / count has no whole number in between
      const steps = draws * total;
      const sums = of.map(() => 0);
      for (let j = 0; j < steps; j++) countsOf(of, draws, (j + 0.5) / steps).forEach((n, i) => (sums[i]! += n));
      sums.forEach((sum, i) => expect(sum / steps).toBeCloseTo((draws * of[i]!) / total, 9));
    }),
    { numRuns: 40 },
  );
});

test('each comes its expected number of times, rounded down or up; none of weight 0; ascending', () => {
  fc.assert(
    fc.property(weights, count, fc.double({ min: 0, max: 0.999999, noNaN: true }), (of, draws, u) => {
      const total = of.reduce((a, b) => a + b, 0);
      const drawn = systematicDraw(of, draws, u);
      expect(drawn).toHaveLength(draws);
      expect(drawn).toEqual([...drawn].sort((a, b) => a - b));
      countsOf(of, draws, u).forEach((n, i) => {
        expect(Math.abs(n - (draws * of[i]!) / total)).toBeLessThan(1 + 1e-9); // a point may be rounded onto a boundary
        if (of[i] === 0) expect(n).toBe(0);
      });
    }),
  );
});

test('the example, and none of nothing', () => {
  expect(systematicDraw([1, 3], 4, 0.5)).toEqual([0, 1, 1, 1]);
  expect(systematicDraw([1, 3], 0, 0.5)).toEqual([]);
  for (const u of [0.999999999999, 1 - 2 ** -53]) {
    expect(systematicDraw([0.1, 0.2, 0.3, 0], 3, u)).toEqual([1, 2, 2]); // the last point is rounded onto the end
    expect(systematicDraw([0.1, 0.2, 0.3], 3, u)).toEqual([1, 2, 2]);
  }
});

test('a point on a boundary is the next one’s', () => {
  expect(systematicDraw([1, 3], 4, 0)).toEqual([0, 1, 1, 1]);
  expect(systematicDraw([0, 1], 1, 0)).toEqual([1]);
  expect(systematicDraw([2, 0, 1], 3, 0)).toEqual([0, 0, 2]);
});
