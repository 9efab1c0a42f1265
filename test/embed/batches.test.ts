import fc from '../fast-check.js';
import { expect, test } from 'vitest';
import { lengthBatches } from '../../lib/embed/sentence/length-batches.js';
import { poolTokens } from '../../lib/embed/sentence/pool-tokens.js';

test('the worked example of the docstring', () => {
  expect(lengthBatches([2, 9, 3, 3], { tokenBudget: 9 })).toEqual([[1], [2, 3, 0]]);
});

test('every text once, longest first, inside size and budget', () => {
  const lengths = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 60 });
  const size = fc.integer({ min: 1, max: 9 });
  const budget = fc.integer({ min: 1, max: 99 });
  fc.assert(
    fc.property(lengths, size, budget, (all, batchSize, tokenBudget) => {
      const batches = lengthBatches(all, { batchSize, tokenBudget });
      expect(batches.flat().sort((a, b) => a - b)).toEqual([...all.keys()]);
      const inOrder = batches.flat().map((i) => all[i]!);
      expect(inOrder).toEqual([...inOrder].sort((a, b) => b - a));
      for (const batch of batches) {
        expect(batch.length).toBeLessThanOrEqual(batchSize);
        if (batch.length > 1) expect(batch.length * all[batch[0]!]!).toBeLessThanOrEqual(tokenBudget);
      }
    }),
  );
});

test('mean, first and last of what is no padding; a text without tokens is zeros', () => {
  const hidden = [1, 2, 3, 6, 99, 99, /**/ 5, 5, 99, 99, 99, 99, /**/ 99, 99, 99, 99, 99, 99]; // [3, 3, 2]
  const rows = (pooling: 'mean' | 'cls' | 'last', normalize = false) => [
    ...poolTokens(hidden, [2, 1, 0], 2, { pooling, normalize }),
  ];
  expect(rows('mean')).toEqual([2, 4, 5, 5, 0, 0]);
  expect(rows('cls')).toEqual([1, 2, 5, 5, 0, 0]);
  expect(rows('last')).toEqual([3, 6, 5, 5, 0, 0]);
  expect(rows('last', true).map((x) => Math.round(x * 1e4))).toEqual([4472, 8944, 7071, 7071, 0, 0]);
});
