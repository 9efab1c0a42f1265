/** The nucleus, and draws from it. */
import fc from '../fast-check.js';
import { describe, expect, test } from 'vitest';
import { drawPlace, nucleus } from '../../lib/decode/generate-nucleus.js';

/** Weights of one size, and of sizes that differ by powers of two: sums of those are exact. */
const EVEN = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 30 });
const STEEP = fc.array(
  fc.integer({ min: 0, max: 14 }).map((power) => 2 ** power),
  { minLength: 1, maxLength: 30 },
);
/** Shares of all kinds, many of them close to 1. */
const TOP_P = fc.oneof(
  fc.double({ min: 0.01, max: 1, noNaN: true }),
  fc.integer({ min: 1, max: 20 }).map((power) => 1 - 2 ** -power),
);

describe('a nucleus', () => {
  test('is the fewest best tokens that reach the share, equal ones by token', () => {
    fc.assert(
      fc.property(fc.oneof(EVEN, STEEP), TOP_P, (weights, topP) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const { tokens, shares } = nucleus(
          weights.map((weight) => weight / total),
          topP,
        );
        const sorted = [...weights.keys()].sort((a, b) => weights[b]! - weights[a]! || a - b);
        expect(tokens).toEqual(sorted.slice(0, tokens.length));
        const mass = (size: number): number => tokens.slice(0, size).reduce((sum, t) => sum + weights[t]! / total, 0);
        expect(mass(tokens.length)).toBeGreaterThan(topP - 1e-9);
        if (tokens.length > 1) expect(mass(tokens.length - 1)).toBeLessThan(topP + 1e-9);
        shares.forEach((share, i) => expect(share).toBeCloseTo(weights[tokens[i]!]! / total / mass(tokens.length), 9));
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    ['a share that is reached exactly', [0.5, 0.25, 0.125, 0.125], 0.75, [0, 1]],
    ['more than one token has', [0.5, 0.25, 0.125, 0.125], 0.76, [0, 1, 2]],
    ['all', [0.125, 0.5, 0.25, 0.125], 1, [1, 2, 0, 3]],
    ['nearly nothing of equal ones', [0.25, 0.25, 0.25, 0.25], 1e-9, [0]],
    ['one token', [1], 0.5, [0]],
    ['the last token', [0.25, 0.75], 0.5, [1]],
    ['more than rounding leaves, impossible ones left out', [0.5, 0, 0.4999999, 0], 1, [0, 2]],
  ])('of %s', (_, probabilities, topP, tokens) => {
    const total = tokens.reduce((sum, token) => sum + probabilities[token]!, 0);
    expect(nucleus(probabilities, topP)).toEqual({ tokens, shares: tokens.map((t) => probabilities[t]! / total) });
  });
});

test.each([
  [[0.5, 0.25, 0, 0.25], 1, [0, 0.49, 0.5, 0.74, 0.75, 0.999], [0, 0, 1, 1, 3, 3]],
  [[1, 2, 1], 4, [0, 0.24, 0.25, 0.74, 0.75, 0.999], [0, 0, 1, 1, 2, 2]],
  [[0.125, 0.125], 0.25, [0.49, 0.5], [0, 1]],
  [[0, 1, 0], 1 + 1e-6, [0, 0.9999999], [1, 1]], // a rest of rounding never falls on a share of 0
  [[1], 1 + 1e-6, [0.9999999], [0]],
])('draws in proportion to %j, which sum to %d', (weights, total, draws, places) => {
  expect(draws.map((draw) => drawPlace(weights, total, draw))).toEqual(places);
});
