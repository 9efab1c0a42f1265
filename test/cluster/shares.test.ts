/** Shares of a batch: everything once, in order, as even as whole elements allow. */
import { expect, test } from 'vitest';
import { balancedRun, dealt } from '../../lib/cluster/alone.js';
import fc from '../fast-check.js';

const weight = (of: number): number => of;

test('runs follow one another and are of about one weight', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 50 })), fc.integer({ min: 1, max: 6 }), (elements, size) => {
      const runs = Array.from({ length: size }, (_, rank) => balancedRun({ rank, size }, elements, weight));
      expect(runs.flat()).toEqual(elements);
      const total = elements.reduce((sum, of) => sum + of, 0);
      const largest = elements.reduce((most, of) => Math.max(most, of), 0);
      for (const run of runs) {
        const own = run.reduce((sum, of) => sum + of, 0);
        expect(Math.abs(own - total / size)).toBeLessThanOrEqual(largest);
      }
    }),
  );
});

test('by hand: 9 of weight in three', () => {
  const runs = [0, 1, 2].map((rank) => balancedRun({ rank, size: 3 }, [3, 1, 1, 1, 3], weight));
  expect(runs).toEqual([[3], [1, 1, 1], [3]]);
  expect(balancedRun(undefined, [3, 1], weight)).toEqual([3, 1]);
});

test('alone, work is done in order', () => {
  expect(dealt(undefined, [1, 2, 3], (x) => 2 * x)).toEqual([2, 4, 6]);
});
