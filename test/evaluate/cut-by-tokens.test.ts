/** Batches of rows by their distinct tokens: within the budget, every row once, and about as many tokens in each. */
import { expect, test } from 'vitest';
import { cutByTokens } from '../../lib/evaluate/cut-by-tokens.js';
import { commonPrefix } from '../../lib/lm/shared-forest.js';
import { Random } from '../../lib/support/random.js';
import fc from '../fast-check.js';

test('by hand: distinct tokens, beams among them, no batch above the budget and none much below the others', () => {
  const prompts = [[1, 2, 3], [1, 2], [7], [1, 2, 4, 5], [1, 2, 3]];
  // in the order of their tokens: 1 2, 1 2 3, 1 2 3, 1 2 4 5, 7; each adds its own tokens and two beams: 4, 3, 2, 4, 3
  expect(cutByTokens(prompts, 1, 2)).toEqual([[1], [0], [4], [3], [2]]);
  expect(cutByTokens(prompts, 9, 2)).toEqual([[1, 0, 4], [3, 2]]);
  expect(cutByTokens(prompts, 8, 2)).toEqual([[1, 0], [4], [3], [2]]);
  expect(cutByTokens(prompts, 16, 2)).toEqual([[1, 0, 4, 3, 2]]);
  expect(cutByTokens(prompts, 15, 2)).toEqual([[1, 0, 4], [3, 2]]); // and not four rows and one
  expect(cutByTokens([], 9, 2)).toEqual([]);
}); // prettier-ignore

test.each([
  [[6, 4, 6], [[0, 1], [2]]], // the even share is 8: 6 and half of 4 are not above it
  [[6, 5, 5], [[0], [1, 2]]],
])('rows of %j tokens of their own, at most 12 at once', (lengths, batches) => {
  const prompts = lengths.map((length, row) => Array.from({ length }, () => row));
  expect(cutByTokens(prompts, 12, 0)).toEqual(batches);
}); // prettier-ignore

test('equal prompts stay in order', () => {
  const prompts = Array.from({ length: 40 }, (_, row) => [row % 2]);
  const [evens, odds] = [0, 1].map((odd) => prompts.flatMap((_, row) => (row % 2 === odd ? [row] : [])));
  expect(cutByTokens(prompts, 999, 1).flat()).toEqual([...evens!, ...odds!]);
});

/** Distinct tokens of a batch, and its beams. */
const tokensOf = (prompts: readonly number[][], batch: readonly number[], beams: number): number =>
  batch.reduce((sum, row, i) => {
    const shared = i === 0 ? 0 : commonPrefix(prompts[batch[i - 1]!]!, prompts[row]!);
    return sum + prompts[row]!.length - shared + beams;
  }, 0);

test('whatever the prompts: every row once, and a batch of several rows is within the budget', () => {
  const prompt = fc.array(fc.nat(2), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(fc.array(prompt, { maxLength: 30 }), fc.integer({ min: 1, max: 60 }), fc.nat(5), (prompts, budget, beams) => {
      const batches = cutByTokens(prompts, budget, beams);
      expect(batches.flat().sort((a, b) => a - b)).toEqual(prompts.map((_, row) => row));
      for (const batch of batches) {
        expect(batch.length).toBeGreaterThan(0);
        if (batch.length > 1) expect(tokensOf(prompts, batch, beams)).toBeLessThanOrEqual(budget);
      }
    }),
  );
}); // prettier-ignore

test.each([
  [1946, 50, 16_384, 8], // 117,000 tokens fit into eight
  [4000, 50, 16_384, 16], // 15 would do
  [500, 20, 16_384, 1], // eight would be too small
  [700, 30, 16_384, 8], // 2 would do, and eight are not too small
  [700, 30, 4_000, 8], // 7 would do
  [8, 2047, 99_999, 8], // one token is each row's own, and all are 8 x 2048
  [8, 2046, 99_999, 1],
])('%d rows of %d beams and at most %d tokens: %d batches, none a tenth larger than another', (rows, beams, budget, count) => {
  const random = new Random(1);
  const prompts = Array.from({ length: rows }, () => Array.from({ length: beams > 2000 ? 1 : 5 + random.int(12) }, () => random.int(99)));
  const batches = cutByTokens(prompts, budget, beams);
  const tokens = batches.map((batch) => tokensOf(prompts, batch, beams));
  expect(batches).toHaveLength(count);
  expect(Math.max(...tokens)).toBeLessThan(1.1 * Math.min(...tokens));
}); // prettier-ignore
