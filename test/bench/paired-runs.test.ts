/** Intervals of a difference over seeds, and over users and seeds. */
import { expect, test } from 'vitest';
import { bootstrapPairs, meanInterval } from '../../bench/train/paired-runs.js';

test("Student's t: by hand, and for as many runs as there are points of it", () => {
  const [low, high] = meanInterval([1, 2, 3]);
  expect([low.toFixed(3), high.toFixed(3)]).toEqual(['-0.484', '4.484']);
  expect(meanInterval([4, 4])).toEqual([4, 4]);
  expect(() => meanInterval([1])).toThrow('meanInterval: expected 2 to 10 values, got 1');
});

const users = Array.from({ length: 200 }, (_, row) => `u${Math.floor(row / 2)}`);
const rowsOf = (of: (row: number) => number): number[] => users.map((_, row) => of(row));

test('a difference that every row of every run has is its own interval', () => {
  const theirs = [1, 2, 3].map((seed) => rowsOf((row) => Math.sin(seed * row)));
  const ours = theirs.map((run) => run.map((value) => value + 0.25));
  bootstrapPairs(users, ours, theirs, 50).forEach((end) => expect(end).toBeCloseTo(0.25, 10));
});

test('runs are paired, users are drawn whole, and the width is that of the means of users', () => {
  // user u differs by +1 or -1 in both of its rows: the deviation of a mean of 100 such is 0.1
  const theirs = [0, 100].map((level) => rowsOf(() => level));
  const ours = theirs.map((run) => run.map((value, row) => value + (Math.floor(row / 2) % 2 === 0 ? 1 : -1)));
  const [low, high] = bootstrapPairs(users, ours, theirs);
  expect(low).toBeGreaterThan(-0.24);
  expect(low).toBeLessThan(-0.15);
  expect(high).toBeGreaterThan(0.15);
  expect(high).toBeLessThan(0.24);
});

test('seeds that differ widen it', () => {
  const theirs = [0, 0].map((level) => rowsOf(() => level));
  const ours = [0, 1].map((level) => rowsOf(() => level));
  expect(bootstrapPairs(users, ours, theirs)).toEqual([0, 1]);
});
