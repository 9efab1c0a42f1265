/** Seeded random numbers: the sequence by another hand, and the frequencies of everything drawn. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Random } from '../../lib/support/random.js';

// written by test/golden/make_random.py
const golden = JSON.parse(readFileSync(new URL('../golden/random.json', import.meta.url), 'utf8')) as Record<
  string,
  number[]
>;

/** Shares of what `draw` gives, by its text. */
function shares(draws: number, draw: () => unknown): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < draws; i++) {
    const drawn = String(draw());
    counts[drawn] = (counts[drawn] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(counts).map(([key, count]) => [key, count / draws]));
}

test.each(Object.keys(golden))('the sequence of seed %j', (seed) => {
  const random = new Random(seed);
  expect(golden[seed]!.map(() => random.next())).toEqual(golden[seed]);
});

test('a number is the seed of its digits; a saved state goes on alike, and is a copy', () => {
  expect(new Random(7).next()).toBe(golden['7']![0]);
  const random = new Random(1);
  const state = random.save();
  const first = [random.next(), random.next()];
  random.restore(state);
  expect([random.next(), random.next()]).toEqual(first);
  random.restore(state);
  expect([random.next(), random.next()]).toEqual(first);
});

describe('frequencies', () => {
  // Of 60,000 draws a share has a deviation below 0.0021; five of them are allowed.
  const [draws, close] = [60_000, 0.0105];
  const expectShares = (seen: Record<string, number>, asked: Record<string, number>): void => {
    expect(Object.keys(seen).sort()).toEqual(Object.keys(asked).sort());
    for (const [key, share] of Object.entries(asked)) expect(Math.abs(seen[key]! - share), key).toBeLessThan(close);
  };

  test('int: every number below n, and no other', () => {
    const random = new Random('int');
    expectShares(
      shares(draws, () => random.int(3)),
      { 0: 1 / 3, 1: 1 / 3, 2: 1 / 3 },
    );
    expectShares(
      shares(100, () => random.int(1)),
      { 0: 1 },
    );
  });

  test('shuffle: every order of three equally often', () => {
    const random = new Random('shuffle');
    const orders = ['a,b,c', 'a,c,b', 'b,a,c', 'b,c,a', 'c,a,b', 'c,b,a'];
    expectShares(
      shares(draws, () => random.shuffle(['a', 'b', 'c'])),
      Object.fromEntries(orders.map((order) => [order, 1 / 6])),
    );
    const array = [1, 2, 3];
    expect(random.shuffle(array)).toBe(array);
  });

  test('pick: every element; weighted: in proportion, never one of weight 0', () => {
    const random = new Random('pick');
    expectShares(
      shares(draws, () => random.pick(['a', 'b'])),
      { a: 0.5, b: 0.5 },
    );
    expectShares(
      shares(draws, () => random.weighted([0, 1, 0, 3, 0])),
      { 1: 0.25, 3: 0.75 },
    );
  });

  test('normal: mean 0, deviation 1, and the tails of a normal distribution', () => {
    const random = new Random('normal');
    const values = Array.from({ length: draws }, () => random.normal());
    const mean = (of: number[]): number => of.reduce((sum, x) => sum + x, 0) / of.length;
    expect(Math.abs(mean(values))).toBeLessThan(0.02);
    expect(Math.abs(mean(values.map((x) => x * x)) - 1)).toBeLessThan(0.03);
    expect(Math.abs(mean(values.map((x) => (x < -1 ? 1 : 0))) - 0.1587)).toBeLessThan(close);
    expect(Math.abs(mean(values.map((x) => (x > 2 ? 1 : 0))) - 0.0228)).toBeLessThan(0.003);
  });
});
