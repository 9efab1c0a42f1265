/** Learning rates by step, worked out by hand. */
import { expect, test } from 'vitest';
import { lrScale, type Schedule } from '../../lib/support/schedule.js';

test.each<[Schedule, warmup: number, scales: number[]]>([
  ['constant', 0, [1, 1, 1, 1, 1, 1]],
  ['constant', 4, [0.25, 0.5, 0.75, 1, 1, 1]],
  ['linear', 0, [1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6]],
  ['linear', 2, [0.5, 1, 1, 0.75, 0.5, 0.25]],
  ['linear', 6, [1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1]],
  ['cosine', 0, [1, (1 + Math.sqrt(0.75)) / 2, 0.75, 0.5, 0.25, (1 - Math.sqrt(0.75)) / 2]],
  ['cosine', 2, [0.5, 1, 1, (1 + Math.SQRT1_2) / 2, 0.5, (1 - Math.SQRT1_2) / 2]],
])('%s, %i steps of warm-up of 6', (schedule, warmup, scales) => {
  scales.forEach((scale, i) => expect(lrScale(schedule, i + 1, warmup, 6)).toBeCloseTo(scale, 12));
});

test('a warm-up longer than the run rises to its end; beyond the last step the scale stays at 0', () => {
  expect([1, 2].map((step) => lrScale('cosine', step, 4, 2))).toEqual([0.25, 0.5]);
  expect(lrScale('linear', 7, 0, 6)).toBe(0);
  expect(lrScale('linear', 9, 0, 6)).toBe(0);
  expect(lrScale('cosine', 9, 0, 6)).toBe(0);
});

test('another schedule is refused', () => {
  expect(() => lrScale('step' as Schedule, 1, 0, 6)).toThrow(
    'schedule: expected one of constant, linear, cosine, got step',
  );
});
