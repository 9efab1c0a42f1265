import { expect, test } from 'vitest';
import { holm } from '../../../lib/evaluate/statistics/holm.js';
import fc from '../../fast-check.js';

/** Holm's procedure is the closure of Bonferroni's: of all sets of tests that hold i, the largest corrected p. */
function byClosure(ps: readonly number[]): number[] {
  return ps.map((_, i) => {
    let most = 0;
    for (let set = 0; set < 1 << ps.length; set++) {
      if (!(set & (1 << i))) continue;
      const members = ps.filter((_, j) => set & (1 << j));
      most = Math.max(most, Math.min(1, members.length * Math.min(...members)));
    }
    return most;
  });
}

test('the closure of Bonferroni over all sets', () => {
  const p = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 0.01, 0.02, 0.05, 1));
  fc.assert(
    fc.property(fc.array(p, { maxLength: 7 }), (ps) => {
      const [adjusted, plain] = [holm(ps), byClosure(ps)];
      adjusted.forEach((value, i) => expect(value).toBeCloseTo(plain[i]!, 14));
    }),
  );
});

test('by hand', () => {
  expect(holm([0.01, 0.04, 0.03])).toEqual([0.03, 0.06, 0.06]);
  expect(holm([0.5, 0.6])).toEqual([1, 1]);
  expect(holm([])).toEqual([]);
});
