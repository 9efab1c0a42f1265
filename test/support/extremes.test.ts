import { expect, test } from 'vitest';
import fc from '../fast-check.js';
import { largest, smallest } from '../../lib/support/extremes.js';

test('the largest and the smallest of few numbers are those of Math, NaN included', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: false })), fc.double({ noNaN: true }), (values, start) => {
      // -0 and 0 are equal to a comparison, and told apart by Math alone
      expect(largest(values) + 0).toBe(Math.max(...values) + 0);
      expect(smallest(values) + 0).toBe(Math.min(...values) + 0);
      expect(largest(values, start) + 0).toBe(Math.max(start, ...values) + 0);
      expect(smallest(values, start) + 0).toBe(Math.min(start, ...values) + 0);
    }),
  );
});

test('a million numbers are no arguments', () => {
  const values = Array.from({ length: 1_000_000 }, (_, i) => i);
  expect(largest(values)).toBe(999_999);
  expect(smallest(values, 5)).toBe(0);
});
