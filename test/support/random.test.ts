import { expect, test } from 'vitest';
import { Random } from '../../lib/support/random.js';

test('a shuffle gives every order equally often', () => {
  const random = new Random('orders');
  const counts = new Map<string, number>();
  const rounds = 24_000;
  for (let i = 0; i < rounds; i++) {
    const order = random.shuffle([0, 1, 2, 3]).join('');
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(24);
  const expected = rounds / 24;
  const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  expect(chiSquare).toBeLessThan(58.6); // 23 degrees of freedom: exceeded once in 20,000 seeds
});

test('whole numbers below n, picks and weights come as often as they should', () => {
  const random = new Random(7);
  const rounds = 20_000;
  const [ints, weighted] = [
    [0, 0, 0, 0, 0],
    [0, 0, 0],
  ];
  for (let i = 0; i < rounds; i++) {
    ints[random.int(5)]!++;
    weighted[random.weighted([1, 0, 3])]!++;
  }
  for (const count of ints) expect(Math.abs(count / rounds - 0.2)).toBeLessThan(0.015);
  expect(weighted[1]).toBe(0);
  expect(Math.abs(weighted[0]! / rounds - 0.25)).toBeLessThan(0.015);
});

test('a saved state goes on with the same numbers', () => {
  const random = new Random('state');
  random.next();
  const state = random.save();
  const first = Array.from({ length: 5 }, () => random.next());
  random.restore(state);
  expect(Array.from({ length: 5 }, () => random.next())).toEqual(first);
});
