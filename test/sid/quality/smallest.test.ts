/** Metrics of the smallest inputs, the first item among the bad ones, neighbours however the rows are cut into chunks. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../../lib/engine/engine.js';
import { rowOf, type Vectors } from '../../../lib/files/npy.js';
import { FreeCodes } from '../../../lib/sid/collisions/free-codes.js';
import { nearestNeighbours } from '../../../lib/sid/quality/neighbours.js';
import {
  ambiguous,
  ambiguousShare,
  perplexity,
  prefixPurity,
  sharedPrefix,
  sharedPrefixByChance,
} from '../../../lib/sid/quality/quality-measures.js';
import { sidQuality } from '../../../lib/sid/quality/quality.js';
import { checkQuantized, codeUsage, collisionRate, meanSquaredError } from '../../../lib/sid/quantized.js';
import { quantizeResult } from '../../../lib/sid/residual.js';
import type { RqVaeModel } from '../../../lib/sid/rqvae/model.js';
import { Random } from '../../../lib/support/random.js';

beforeAll(async () => void (await useEngine()));

function column(...values: number[]): Vectors {
  return { rows: values.length, width: 1, data: Float32Array.from(values) };
}

describe('one item, one target, one pair', () => {
  test.each([
    ['perplexity of a code', () => perplexity([1]), 1],
    ['perplexity of a code among unused ones', () => perplexity([0, 1, 0]), 1],
    ['perplexity of two codes of one item each', () => perplexity([1, 1]), 2],
    ['ambiguity of a target', () => ambiguousShare([[1], [1]], [0]), 1],
    ['ambiguity of no target', () => ambiguousShare([[1], [1]], []), 0],
    ['ambiguity of two targets', () => ambiguousShare([[1], [1], [2]], [0, 2]), 0.5],
    ['purity of an item', () => prefixPurity([[3]], ['a'], 1), 1],
    ['purity of no item with a category', () => prefixPurity([[3]], [''], 1), NaN],
    ['a pair that shares its prefix', () => sharedPrefix([[1, 2], [1, 3]], [[0, 1]], 1), 1], // prettier-ignore
    ['a pair that does not', () => sharedPrefix([[1, 2], [1, 3]], [[0, 1]], 2), 0], // prettier-ignore
    ['no pair', () => sharedPrefix([[1], [1]], [], 1), NaN],
    ['chance of two items', () => sharedPrefixByChance([[1, 2], [1, 3]], 1), 1], // prettier-ignore
    ['chance of two others', () => sharedPrefixByChance([[1, 2], [2, 2]], 1), 0], // prettier-ignore
    ['chance of one item', () => sharedPrefixByChance([[1]], 1), NaN],
    ['collisions of an item', () => collisionRate([[1]]), 0],
    ['collisions of twins', () => collisionRate([[1], [1]]), 0.5],
  ] as const)('%s', (_, measure, value) => {
    if (Number.isNaN(value)) expect(measure()).toBeNaN();
    else expect(measure()).toBeCloseTo(value, 12);
  });

  test('two, and no longer ambiguous', () => {
    expect(ambiguous([[1], [1], [2], [3], [3], [3]])).toEqual([true, true, false, true, true, true]);
    expect(codeUsage([], [2])).toEqual({ codesUsed: [0], clusterSize: { min: 0, max: 0 } });
    expect(codeUsage([[0]], [1])).toEqual({ codesUsed: [1], clusterSize: { min: 1, max: 1 } });
  });

  test('the report on one item', () => {
    const { items, levels, prefixes } = sidQuality({ codes: [[0]], vectors: column(2), targets: [0] });
    expect(items).toBe(1);
    expect(levels).toEqual([{ level: 'a', codes: 1, used: 1, perplexity: 1, clusterSize: { min: 1, median: 1, max: 1 }, mse: null }]); // prettier-ignore
    expect(prefixes).toEqual([{ length: 1, prefixes: 1, purity: null, purityByChance: null, neighbours: null, neighboursByChance: null }]); // prettier-ignore
    expect(() => sidQuality({ codes: [] })).toThrow('sid quality: expected items, got none; run sidlab sid first');
  });

  test('levels and prefixes of three codes, of items with more of them and of two codebooks', () => {
    const codes = [[0, 0, 1], [0, 0, 2, 9], [0, 1, 1], [1, 1, 1]]; // prettier-ignore
    const three = sidQuality({ codes, categories: ['x', 'y', 'x', 'x'] });
    expect(three.levels.map(({ level, codes: size, clusterSize }) => [level, size, clusterSize])).toEqual([
      ['a', 2, { min: 1, median: 3, max: 3 }],
      ['b', 2, { min: 2, median: 2, max: 2 }],
      ['c', 3, { min: 0, median: 1, max: 3 }],
    ]);
    expect(three.prefixes.map(({ length, prefixes }) => [length, prefixes])).toEqual([[1, 2], [2, 3], [3, 4]]); // prettier-ignore
    expect(three.prefixes.map(({ purity }) => purity)).toEqual([3 / 4, 3 / 4, 1]);
    const books = [column(0, 1), column(0, 1)];
    expect(sidQuality({ codes, codebooks: books }).levels).toHaveLength(2);
    expect(sidQuality({ codes, vectors: column(0, 0, 1, 2), codebooks: books }).levels.map(({ mse }) => mse)).toEqual([0.5, 0]); // prettier-ignore
  });

  test('the first item whose code is in no codebook', () => {
    expect(() => sidQuality({ codes: [[2], [0]], codebooks: [column(1, 2)] })).toThrow('item 0: code 2 is not among the'); // prettier-ignore
    const books = [column(0, 1)];
    const result = { ...quantizeResult(column(0, 1), [[0], [1]], books, 'keep') };
    const bad = { ...result, codes: [[2], [1]] };
    expect(() => checkQuantized(bad, column(0, 1), 'mine', false)).toThrow('expected codes among the codebooks\' rows, got 2 for item 0'); // prettier-ignore
    const model = {} as RqVaeModel;
    expect(() => checkQuantized({ ...result, model }, column(0, 1), 'mine', true)).not.toThrow();
    expect(() => checkQuantized({ ...result, model }, column(0, 1), 'mine', false)).toThrow('expected no model, as it is'); // prettier-ignore
    expect(() => checkQuantized(result, column(0, 1), 'mine', true)).toThrow('the model of a learned method, got none');
  });
});

test('errors are summed up in blocks of 8,192 items', () => {
  const books = [column(0.25, 1)];
  for (const [items, blocks] of [
    [8192, [8192]],
    [8193, [8192, 1]],
  ] as const) {
    const vectors = column(...Array.from({ length: items }, (_, i) => (i % 3) + (i === 8192 ? 100 : 0)));
    const codes = Array.from({ length: items }, (_, i) => [i % 2]);
    const seen: number[] = [];
    const decode = (sums: Vectors): Vectors => {
      seen.push(sums.rows);
      return sums;
    };
    const squares = codes.map(([code], i) => (vectors.data[i]! - books[0]!.data[code!]!) ** 2);
    const mean = squares.reduce((sum, square) => sum + square, 0) / items;
    expect(meanSquaredError(vectors, codes, books, decode)).toBeCloseTo(mean, 9);
    expect(meanSquaredError(vectors, codes, books)).toBeCloseTo(mean, 9);
    expect(seen).toEqual(blocks);
  }
});

test('when all SIDs are taken none is claimed', () => {
  const free = new FreeCodes([column(0, 1)]);
  free.take([0]);
  expect(free.claim(Float32Array.of(0), [0])).toEqual([1]);
  expect(() => free.claim(Float32Array.of(0), [0])).toThrow('FreeCodes.claim: expected a free SID, got none');
});

describe('neighbours in chunks', () => {
  /** The other row of the largest cosine, ties to the lower. */
  function plainNeighbours(x: Vectors): [number, number][] {
    const norm = (a: Float32Array) => Math.max(1e-12, Math.hypot(...a));
    const cosine = (a: Float32Array, b: Float32Array): number =>
      a.reduce((sum, value, j) => sum + value * b[j]!, 0) / norm(a) / norm(b);
    return Array.from({ length: x.rows }, (_, i) => {
      const cosines = Array.from({ length: x.rows }, (_, k) => (k === i ? -2 : cosine(rowOf(x, i), rowOf(x, k))));
      return [i, cosines.indexOf(Math.max(...cosines))];
    });
  }

  test.each([1, 2, 5, 7, 20, 21])('of %i rows', (chunk) => {
    const random = new Random(4);
    const x = { rows: 20, width: 3, data: Float32Array.from({ length: 60 }, () => random.normal()) };
    const before = tf.memory().numTensors;
    expect(nearestNeighbours(x, { chunk })).toEqual(plainNeighbours(x));
    expect(tf.memory().numTensors).toBe(before);
  });

  test.each([1, 2, 3, 6])('of %i of six equal rows: the lowest other one', (chunk) => {
    const x = { rows: 6, width: 2, data: Float32Array.from({ length: 12 }, (_, at) => (at % 2 === 0 ? 3 : 4)) };
    expect(nearestNeighbours(x, { chunk })).toEqual([[0, 1], [1, 0], [2, 0], [3, 0], [4, 0], [5, 0]]); // prettier-ignore
  });

  test('of more items than a block holds, all of them or a sample', () => {
    const x = { rows: 1025, width: 2, data: Float32Array.from({ length: 2050 }, (_, at) => Math.sin(at * at)) };
    const angles = Array.from({ length: 1025 }, (_, i) => Math.atan2(x.data[2 * i + 1]!, x.data[2 * i]!));
    const apart = (a: number, b: number): number => 1 - Math.cos(angles[a]! - angles[b]!);
    const found = nearestNeighbours(x);
    expect(found.map(([item]) => item)).toEqual([...angles.keys()]);
    for (const [item, nearest] of found) {
      const least = angles.reduce((best, _, other) => (other === item ? best : Math.min(best, apart(item, other))), 2);
      expect(nearest).not.toBe(item);
      expect(apart(item, nearest)).toBeLessThan(least + 1e-6);
    }
    const order = new Random(9).shuffle([...angles.keys()]).slice(0, 600);
    expect(nearestNeighbours(x, { sample: 600, seed: 9 })).toEqual(order.map((item) => found[item]));
  });
});
