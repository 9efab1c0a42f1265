/** The report on SIDs and its gate, from examples worked out by hand. */
import { beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import type { Vectors } from '../../lib/files/npy.js';
import { nearestNeighbours } from '../../lib/sid/quality/neighbours.js';
import { qualityGate, type QualityLimits } from '../../lib/sid/quality/quality-gate.js';
import { ambiguousShare, prefixPurity, shuffledPurity } from '../../lib/sid/quality/quality-measures.js';
import { sidQuality, type SidQuality } from '../../lib/sid/quality/quality.js';
import { Random } from '../../lib/support/random.js';

beforeAll(async () => void (await useEngine()));

function column(...values: number[]): Vectors {
  return { rows: values.length, width: 1, data: Float32Array.from(values) };
}

function cloud(rows: number, width: number): Vectors {
  const random = new Random(rows);
  return { rows, width, data: Float32Array.from({ length: rows * width }, () => random.normal()) };
}

const codes = [[0, 0], [0, 1], [0, 1], [2, 0], [2, 3]]; // prettier-ignore
const categories = ['x', 'x', 'y', 'y', ''];

test('levels: sizes, use and perplexity of all codes, those without items included', () => {
  const { levels, items } = sidQuality({ codes, sizes: [4, 5] });
  expect(items).toBe(5);
  const entropy = -(0.6 * Math.log(0.6) + 0.4 * Math.log(0.4));
  expect(levels).toEqual([
    { level: 'a', codes: 4, used: 2, perplexity: expect.closeTo(Math.exp(entropy), 12), clusterSize: { min: 0, median: 2, max: 3 }, mse: null }, // prettier-ignore
    { level: 'b', codes: 5, used: 3, perplexity: expect.closeTo(Math.exp(-(0.8 * Math.log(0.4) + 0.2 * Math.log(0.2))), 12), clusterSize: { min: 0, median: 1, max: 2 }, mse: null }, // prettier-ignore
  ]);
  expect(sidQuality({ codes }).levels.map((level) => level.codes)).toEqual([3, 4]);
});

test('prefixes: purity among items with a category, chance by the seed, neighbours', () => {
  const vectors = { rows: 5, width: 2, data: Float32Array.of(1, 0, 1, 0.1, 0, 1, 0.1, 1, -1, 0.5) };
  const quality = sidQuality({ codes, categories, vectors });
  // nearest: 0 and 1 of each other, 2 and 3 of each other, 4 of 2 (cosine 0.45)
  expect(quality.prefixes).toEqual([
    { length: 1, prefixes: 2, purity: 3 / 4, purityByChance: shuffledPurity(codes, categories, 1, 42), neighbours: 2 / 5, neighboursByChance: 8 / 20 }, // prettier-ignore
    { length: 2, prefixes: 4, purity: 3 / 4, purityByChance: shuffledPurity(codes, categories, 2, 42), neighbours: 0, neighboursByChance: 2 / 20 }, // prettier-ignore
  ]);
  const many = Array.from({ length: 40 }, (_, item) => [item % 6]);
  const letters = many.map((_, item) => 'abc'[item % 7 % 3]!); // prettier-ignore
  for (const seed of [7, 8]) {
    const { prefixes } = sidQuality({ codes: many, categories: letters, seed });
    expect(prefixes[0]!.purityByChance).toBe(shuffledPurity(many, letters, 1, seed));
  }
  const seven = many.map((_, item) => 'abcdefg'[(item * item) % 7]!);
  const [own, next] = [42, 43].map((seed) => shuffledPurity(many, seven, 1, seed));
  expect(own).not.toBe(next);
  expect(shuffledPurity(many, seven, 1)).toBe(own);
  const none = sidQuality({ codes, categories: codes.map(() => '') });
  expect(none.prefixes[0]).toMatchObject({ purity: null, purityByChance: null });
});

test('chance deals the known categories out to the items that have one', () => {
  const known = ['a', '', 'b', 'a', '', 'b', 'b'];
  const paths = [[0], [0], [0], [1], [1], [1], [2]];
  const dealt = new Random(5).shuffle(['a', 'b', 'a', 'b', 'b']);
  const full = known.map((category) => (category === '' ? '' : dealt.shift()!));
  expect(shuffledPurity(paths, known, 1, 5)).toBe(prefixPurity(paths, full, 1));
});

test('collisions and targets, before and after', () => {
  const raw = [[0, 0], [0, 0], [0, 0], [2, 0], [2, 0]]; // prettier-ignore
  const targets = [1, 1, 0, 4];
  const quality = sidQuality({ codes, raw, targets });
  expect(quality.collision).toEqual({ raw: 1 - 2 / 5, final: 1 - 4 / 5 });
  expect(quality.ambiguousItems).toEqual({ raw: 5, final: 2 });
  expect(quality.duplicates).toEqual({
    raw: { groups: 2, largest: 3, mean: 2.5 },
    final: { groups: 1, largest: 2, mean: 2 },
  });
  expect(sidQuality({ codes: [[1], [2]] }).duplicates).toEqual({ raw: null, final: { groups: 0, largest: 1, mean: null } }); // prettier-ignore
  expect(quality.targets).toEqual({ rows: 4, ambiguous: { raw: 1, final: 0.5 } });
  expect(sidQuality({ codes, targets }).targets).toEqual({ rows: 4, ambiguous: { raw: null, final: 0.5 } });
  expect(sidQuality({ codes })).toMatchObject({ ambiguousItems: { raw: null, final: 2 }, targets: null });
  expect(ambiguousShare(codes, [0, 3])).toBe(0);
});

test('raw codes are the nearest, level by level; the error is that of the codes up to a level', () => {
  const vectors = column(0, 1, 10, 12);
  const codebooks = [column(0, 10), column(0, 1, 2)];
  const given = [[0, 0], [0, 2], [1, 0], [1, 1]]; // prettier-ignore
  const quality = sidQuality({ codes: given, vectors, codebooks });
  expect(quality.levels.map(({ mse }) => mse)).toEqual([(0 + 1 + 0 + 4) / 4, (0 + 1 + 0 + 1) / 4]);
  expect(quality.collision.raw).toBe(0); // nearest: 00, 01, 10, 12
  const twins = sidQuality({ codes: given, vectors: column(10, 10, 10, 12), codebooks });
  expect(twins.collision).toEqual({ raw: 0.5, final: 0 });
  expect(twins.ambiguousItems.raw).toBe(3);
  const decode = (sums: Vectors): Vectors => ({ ...sums, data: sums.data.map((value) => value + 1) });
  const decoded = sidQuality({ codes: given, vectors, codebooks, decode });
  expect(decoded.collision.raw).toBeNull();
  expect(decoded.levels.map(({ mse }) => mse)).toEqual([(1 + 0 + 1 + 1) / 4, (1 + 4 + 1 + 0) / 4]);
  const ranked = sidQuality({ codes: given.map((path, item) => [...path, item]), vectors, codebooks });
  expect(ranked.levels).toHaveLength(2);
});

describe('what does not fit', () => {
  const fails = (input: Partial<Parameters<typeof sidQuality>[0]>, message: string) =>
    expect(() => sidQuality({ codes, ...input })).toThrow(message);

  test.each([-1, 5, NaN])('a target of %d', (target) => {
    fails({ targets: [0, 4, target] }, `expected targets from 0 to 4, got ${target}`);
  });

  test('raw codes, vectors, categories of other items, a code beyond its codebook', () => {
    expect(sidQuality({ codes, targets: [0, 4] }).targets!.rows).toBe(2);
    fails({ raw: codes.slice(1) }, 'expected raw codes of 5 items, got 4');
    fails({ categories: [...categories, 'z'] }, 'expected 5 categories, got 6');
    fails({ vectors: column(1, 2, 3, 4) }, 'expected 5 vectors');
    fails({ codebooks: [column(1, 2, 3), column(1, 2, 3)] }, 'item 4: code 2 3 is not among');
    expect(sidQuality({ codes, codebooks: [column(1, 2, 3), column(1, 2, 3, 4)] }).levels).toHaveLength(2);
  });

  test('codebooks of another width are of a latent space, and need its decoder', () => {
    const wide = { rows: 4, width: 2, data: new Float32Array(8) };
    const vectors = column(1, 2, 3, 4, 5);
    fails({ vectors, codebooks: [wide, wide] }, 'expected codebooks of width 1, got 2, 2');
    const decode = ({ rows }: Vectors): Vectors => ({ rows, width: 1, data: new Float32Array(rows) });
    const { levels } = sidQuality({ codes, vectors, codebooks: [wide, wide], decode });
    expect(levels[1]!.mse).toBe((1 + 4 + 9 + 16 + 25) / 5);
    expect(sidQuality({ codes, codebooks: [wide, wide] }).levels[1]!.mse).toBeNull();
  });
});

describe('the gate', () => {
  const level = (used: number, perplexity: number, max: number, mse: number) => ({
    ...{ level: 'a', codes: 10, used, perplexity, clusterSize: { min: 0, median: 1, max }, mse },
  });
  const prefix = (purity: number, neighbours: number) => ({
    ...{ length: 1, prefixes: 1, purity, purityByChance: null, neighbours, neighboursByChance: null },
  });
  const quality: SidQuality = {
    items: 9,
    collision: { raw: 0.5, final: 0.25 },
    ambiguousItems: { raw: 3, final: 1 },
    duplicates: { raw: null, final: { groups: 2, largest: 3, mean: 2.5 } },
    targets: { rows: 4, ambiguous: { raw: 0.75, final: 0.125 } },
    levels: [level(8, 5, 3, 0.75), level(6, 7, 4, 0.5)],
    prefixes: [prefix(0.875, 0.625), prefix(1, 0.1)],
  };
  const LIMITS: [keyof QualityLimits, value: number, side: 'at most' | 'at least'][] = [
    ['rawCollision', 0.5, 'at most'],
    ['collision', 0.25, 'at most'],
    ['largestGroup', 3, 'at most'],
    ['ambiguousTargets', 0.125, 'at most'],
    ['codesUsed', 0.6, 'at least'],
    ['perplexity', 0.5, 'at least'],
    ['clusterSize', 4, 'at most'],
    ['mse', 0.5, 'at most'],
    ['neighbours', 0.625, 'at least'],
    ['purity', 0.875, 'at least'],
  ];

  test.each(LIMITS)('%s: %d passes at itself, and on one side alone', (limit, value, side) => {
    const passes = (by: number) => qualityGate(quality, { [limit]: value + by });
    expect(passes(0)).toEqual({ pass: true, checks: [{ limit, value, expected: `${side} ${value}`, pass: true }] });
    expect([-0.01, 0.01].map((by) => passes(by).pass)).toEqual(side === 'at most' ? [false, true] : [true, false]);
  });

  test('nothing known, no limit, a limit that is no number', () => {
    const none = { ...quality, targets: null, collision: { raw: null, final: 0 } };
    expect(qualityGate(none, { ambiguousTargets: 1, rawCollision: 1 }).checks.map(({ pass }) => pass)).toEqual([
      false,
      false,
    ]);
    expect(qualityGate(quality, {})).toEqual({ pass: true, checks: [] });
    for (const limit of [NaN, Infinity, '1', null]) {
      expect(() => qualityGate(quality, { purity: limit as number })).toThrow(
        `sid quality: expected a number as the limit of purity, got ${String(limit)}`,
      );
    }
  });
});

describe('nearest neighbours', () => {
  test('a row of zeros is at cosine 0 from all', () => {
    const x = { rows: 3, width: 2, data: Float32Array.of(0, 0, 1, 0, -1, 0) };
    expect(nearestNeighbours(x)).toEqual([[0, 1], [1, 0], [2, 0]]); // prettier-ignore
  });

  test('length does not count, however short', () => {
    const x = { rows: 3, width: 2, data: Float32Array.of(1e-9, 0, 5, 1, 0, 3) };
    expect(nearestNeighbours(x)).toEqual([[0, 1], [1, 0], [2, 1]]); // prettier-ignore
  });

  test('two opposite rows are nearest to each other; one has none', () => {
    expect(nearestNeighbours({ rows: 2, width: 1, data: Float32Array.of(1, -1) })).toEqual([[0, 1], [1, 0]]); // prettier-ignore
    expect(nearestNeighbours(column(1))).toEqual([]);
  });

  test('a sample is drawn by the seed, 5,000 by default; all items where it is not smaller', () => {
    const x = cloud(40, 3);
    const all = nearestNeighbours(x);
    expect(all.map(([item]) => item)).toEqual([...Array(40).keys()]);
    expect(nearestNeighbours(x, { sample: 40 })).toEqual(all);
    for (const [seed, options] of [
      [42, {}],
      [7, { seed: 7 }],
    ] as const) {
      const drawn = new Random(seed).shuffle([...Array(40).keys()]).slice(0, 39);
      expect(nearestNeighbours(x, { sample: 39, ...options })).toEqual(drawn.map((item) => all[item]));
    }
    expect(nearestNeighbours(cloud(5001, 2))).toHaveLength(5000);
  });
});
