/** Seeds that a benchmark is asked for. */
import { afterEach, expect, test } from 'vitest';
import { askedSeeds } from '../../bench/seeds.js';

afterEach(() => void delete process.env.SIDLAB_TEST_SEEDS);

const asked = (text?: string): number[] => {
  if (text !== undefined) process.env.SIDLAB_TEST_SEEDS = text;
  return askedSeeds('SIDLAB_TEST_SEEDS', 3);
};

test('so many from 1, or from one to another', () => {
  expect(asked()).toEqual([1, 2, 3]);
  expect(asked('2')).toEqual([1, 2]);
  expect(asked('4-6')).toEqual([4, 5, 6]);
  expect(asked('4-4')).toEqual([4]);
});

test.each(['', '0', '3-2', '1,2', '-1', 'x', '1-'])('"%s" is none', (text) => {
  expect(() => asked(text)).toThrow(`SIDLAB_TEST_SEEDS: expected 10 or 3-5, got ${text}`);
});
