/** Collisions counted and ranked, and the metrics of codes, from examples worked out by hand. */
import { beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import type { Vectors } from '../../lib/files/npy.js';
import { checkCollisions, rankCollisions, resolveCollisions } from '../../lib/sid/collisions/collisions.js';
import { FreeCodes } from '../../lib/sid/collisions/free-codes.js';
import { codesByDistance, nearestCode } from '../../lib/sid/kmeans/distance.js';
import { fillEmptyCodes } from '../../lib/sid/kmeans/empty-clusters.js';
import { checkQuantized, codeUsage, collisionRate, countCodes, reconstruct } from '../../lib/sid/quantized.js';
import { quantizeResult, residualQuantize, subtractCodes } from '../../lib/sid/residual.js';

beforeAll(() => useEngine());

function column(...values: number[]): Vectors {
  return { rows: values.length, width: 1, data: Float32Array.from(values) };
}

test('ranks: items of a group alone have one, in order of their ids', () => {
  const codes = [[4, 1], [2, 2], [4, 1], [1, 4], [4, 1], [2, 2]]; // prettier-ignore
  const ranked = [[4, 1, 0], [2, 2, 0], [4, 1, 1], [1, 4], [4, 1, 2], [2, 2, 1]]; // prettier-ignore
  expect(rankCollisions(codes)).toEqual(ranked);
  const books = [column(0, 1, 2, 3, 4), column(0, 1, 2, 3, 4)];
  const x = column(5, 4, 5, 5, 5, 4);
  expect(resolveCollisions(x, codes, books, 'rank')).toEqual(ranked);
  expect(resolveCollisions(x, codes, books, 'keep')).toBe(codes);
  expect(new Set(resolveCollisions(x, codes, books, 'reassign').map(String)).size).toBe(6);
});

test('as many items as SIDs are room enough, one more is not; ranks have room for all', () => {
  expect(() => checkCollisions('reassign', 8, [2, 4], 'x')).not.toThrow();
  expect(() => checkCollisions('reassign', 9, [2, 4], 'x')).toThrow('x: expected at most 8 items for 2 x 4 codes, got 9; raise'); // prettier-ignore
  for (const collisions of ['rank', 'keep'] as const) expect(() => checkCollisions(collisions, 9, [2, 4], 'x')).not.toThrow(); // prettier-ignore
});

test('rates, counts, use, sums', () => {
  const codes = [[0, 2], [0, 2], [1, 0], [0, 2], [1, 2]]; // prettier-ignore
  expect(collisionRate(codes)).toBe(1 - 3 / 5);
  expect(countCodes(codes, [3, 3])).toEqual([[3, 2, 0], [1, 0, 4]]); // prettier-ignore
  expect(codeUsage(codes, [3, 3])).toEqual({ codesUsed: [2, 2], clusterSize: { min: 0, max: 4 } });
  expect(codeUsage(codes, [2, 3]).clusterSize).toEqual({ min: 0, max: 4 });
  expect(codeUsage([[0], [1], [1]], [2])).toEqual({ codesUsed: [2], clusterSize: { min: 1, max: 2 } }); // prettier-ignore
  const books = [
    { rows: 2, width: 2, data: Float32Array.of(1, 2, 3, 4) },
    { rows: 2, width: 2, data: Float32Array.of(10, 20, 30, 40) },
  ];
  expect([...reconstruct([1, 0, 7], books)]).toEqual([13, 24]);
  const rows = { rows: 2, width: 2, data: Float32Array.of(5, 5, 6, 6) };
  subtractCodes(rows, [1, 0], books[0]!);
  expect([...rows.data]).toEqual([2, 1, 5, 4]);
});

test('residual quantization: every level sees what the ones before left over', () => {
  const x = column(0, 1, 10, 12);
  const seen: number[][] = [];
  const found = residualQuantize(x, [2, 3], 'keep', (residual, size, level) => {
    seen.push([size, level, ...residual.data]);
    return { ...(level === 0 ? column(0, 10) : column(0, 1, 2)), codes: Int32Array.from(level === 0 ? [0, 0, 1, 1] : [0, 1, 0, 1]) }; // prettier-ignore
  });
  expect(seen).toEqual([[2, 0, 0, 1, 10, 12], [3, 1, 0, 1, 0, 2]]); // prettier-ignore
  expect([...x.data]).toEqual([0, 1, 10, 12]);
  expect(found).toMatchObject({ raw: [[0, 0], [0, 1], [1, 0], [1, 1]], mse: 1 / 4, codesUsed: [2, 2], clusterSize: { min: 0, max: 2 } }); // prettier-ignore
  const twins = quantizeResult(x, [[0, 0], [0, 0], [1, 0], [1, 2]], found.codebooks, 'reassign'); // prettier-ignore
  expect(twins).toMatchObject({ collision: { raw: 1 / 4, final: 0 }, codes: [[0, 0], [0, 1], [1, 0], [1, 2]], mse: 0 }); // prettier-ignore
});

describe('what a method gives back is checked', () => {
  const books = [column(0, 1), column(0, 1, 2)];
  const x = column(0, 1);
  const result = (codes: number[][], raw = codes) => ({ ...quantizeResult(x, [[0, 0], [1, 2]], books, 'keep'), codes, raw }); // prettier-ignore

  test('codes are rows of their codebook', () => {
    expect(() => checkQuantized(result([[1, 2], [0, 0, 9]]), x, 'mine', false)).not.toThrow(); // prettier-ignore
    for (const path of [[2, 0], [0, 3], [-1, 0], [0.5, 0], [0], [NaN, 0]]) {
      const message = `sid: method mine: expected codes among the codebooks' rows, got ${path.join(' ')} for item 1`;
      expect(() => checkQuantized(result([[0, 0], path]), x, 'mine', false)).toThrow(message);
      expect(() => checkQuantized(result([[0, 0], [1, 1]], [path, [1, 1]]), x, 'mine', false)).toThrow('expected raw among'); // prettier-ignore
    }
    expect(() => checkQuantized(result([[0, 0], [1, 2]], [[0, 0]]), x, 'mine', false)).toThrow('expected raw of 2 items, got 1'); // prettier-ignore
  });
});

test('nearest codes, ties to the lower', () => {
  const book = column(4, -1, 1, 9, -1);
  expect(nearestCode([0], book)).toBe(1);
  expect(codesByDistance([0], book)).toEqual([1, 2, 4, 0, 3]);
  expect(codesByDistance([8], book)).toEqual([3, 0, 2, 1, 4]);
});

test('as many rows as there are empty codes are moved to, and no more', () => {
  const x = column(0, 5, -3, 4, 5, 1);
  const one = fillEmptyCodes(x, column(0, 90), Int32Array.of(0, 0, 0, 0, 0, 0))!;
  expect([...one.data]).toEqual([0, 5]);
  const all = fillEmptyCodes(x, column(7, 0, 90, 91, 92, 93, 94), Int32Array.of(1, 1, 1, 1, 1, 1))!;
  expect([...all.data]).toEqual([5, 0, 4, -3, 1, 93, 94]); // five once; none for the row on its centre
  // one distance on both sides: two rows that are not equal
  expect([...fillEmptyCodes(column(2, -2, 0), column(0, 9, 9), Int32Array.of(0, 0, 0))!.data]).toEqual([0, 2, -2]);
});

test('free codes: room under every prefix', () => {
  const free = new FreeCodes([column(0, 10, 20), column(0, 1)]);
  expect(free.room).toBe(6);
  for (const path of [[1, 0], [1, 1], [1, 1]]) free.take(path); // prettier-ignore
  expect(free.room).toBe(4);
  expect([[1, 0], [1, 1], [0, 1]].map((path) => free.has(path))).toEqual([true, true, false]); // prettier-ignore
  expect(free.claim(Float32Array.of(11), [1, 1])).toEqual([2, 0]); // prefix 1 is full, and 20 is nearer than 0
  expect(free.claim(Float32Array.of(1), [0, 1])).toEqual([0, 1]);
  expect(free.claim(Float32Array.of(1), [0, 1])).toEqual([0, 0]);
  expect(free.claim(Float32Array.of(-50), [0, 0])).toEqual([2, 1]); // the last one there is
  expect(free.room).toBe(0);
});
