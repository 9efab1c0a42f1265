/** Rounds of Sinkhorn over groups that collide, against NumPy's float64 products. */
import { expect, test } from 'vitest';
import { rowOf, type Vectors } from '../../../lib/files/npy.js';
import { resolveCollisions } from '../../../lib/sid/collisions/collisions.js';
import { collidingGroups, sinkhornRounds } from '../../../lib/sid/collisions/sinkhorn-rounds.js';
import { Random } from '../../../lib/support/random.js';
import { golden } from '../rqvae/golden.js';

const matrix = (rows: number[][]): Vectors => ({ rows: rows.length, width: rows[0]!.length, data: Float32Array.from(rows.flat()) }); // prettier-ignore

const { items, levels, raw, epsilon, iterations, settled, 'after one': afterOne } = golden.rounds;
const [vectors, books] = [matrix(items), levels.map(matrix)];

test('one round, and all of them', () => {
  expect(sinkhornRounds(vectors, raw, books, { epsilon, iterations, rounds: 1 })).toEqual(afterOne);
  expect(sinkhornRounds(vectors, raw, books)).toEqual(settled);
  expect(resolveCollisions(vectors, raw, books, 'sinkhorn')).toEqual(settled);
  expect(sinkhornRounds(vectors, raw, books, { rounds: 0 })).toEqual(raw);
});

test('vectors and codebooks in another unit: the same codes', () => {
  const times = (of: Vectors, factor: number): Vectors => ({ ...of, data: of.data.map((x) => factor * x) });
  for (const factor of [1 / 8, 8, 64]) {
    const inUnit = sinkhornRounds(times(vectors, factor), raw, books.map((book) => times(book, factor))); // prettier-ignore
    expect(inUnit, String(factor)).toEqual(settled);
  }
});

test('prefixes stay, items alone stay, and fewer items share', () => {
  const alone = new Set(raw.keys());
  for (const group of collidingGroups(raw)) for (const item of group) alone.delete(item);
  settled.forEach((path, item) => {
    expect(path[0]).toBe(raw[item]![0]);
    if (alone.has(item)) expect(path).toEqual(raw[item]);
  });
  expect(collidingGroups(settled).flat().length).toBeLessThan(collidingGroups(raw).flat().length);
});

test('groups', () => {
  expect(collidingGroups([[1, 2], [3, 4], [1, 2], [5, 6], [3, 4], [1, 2]])).toEqual([[0, 2, 5], [1, 4]]); // prettier-ignore
  expect(collidingGroups([[1], [2]])).toEqual([]);
});

/**
 * LC-Rec's `sinkhorn_algorithm` in float64 products over the items of each group, in order: shares over codes, then over
 * items. @returns codes after so many rounds
 */
function plainRounds(
  x: Vectors,
  codes: readonly number[][],
  levels: readonly Vectors[],
  epsilon: number,
  iterations: number,
  rounds: number,
) {
  // prettier-ignore
  const paths = codes.map((path) => [...path]);
  for (let round = 0; round < rounds; round++) {
    for (const group of collidingGroups(paths)) {
      const distances = group.map((item) => {
        const left = [...rowOf(x, item)].map((value, j) => levels.slice(0, -1).reduce((rest, book, level) => rest - rowOf(book, paths[item]![level]!)[j]!, value)); // prettier-ignore
        const last = levels.at(-1)!;
        return Array.from({ length: last.rows }, (_, code) => rowOf(last, code).reduce((sum, value, j) => sum + (left[j]! - value) ** 2, 0)); // prettier-ignore
      });
      const [low, high] = [Math.min(...distances.flat()), Math.max(...distances.flat())];
      const middle = (low + high) / 2;
      const shares = distances.map((row) => row.map((d) => Math.exp((middle - d) / (high - middle + 1e-5) / epsilon)));
      const even = (cells: [number, number][]): void => {
        const sum = cells.reduce((all, [i, k]) => all + shares[i]![k]!, 0);
        for (const [i, k] of cells) shares[i]![k]! /= sum;
      };
      for (let iteration = 0; iteration < iterations; iteration++) {
        shares.forEach((row, i) => even(row.map((_, k) => [i, k])));
        shares[0]!.forEach((_, k) => even(shares.map((_row, i) => [i, k])));
      }
      group.forEach((item, i) => (paths[item]![levels.length - 1] = shares[i]!.indexOf(Math.max(...shares[i]!))));
    }
  }
  return paths;
}

test.each([
  [1, 1],
  [2, 1],
  [3, 0.003],
  [50, 1],
])('as products of float64 have it: %i iterations, numbers of a size of %d', (times, size) => {
  for (let seed = 0; seed < 6; seed++) {
    const random = new Random(seed);
    const draw = (rows: number): Vectors => ({ rows, width: 3, data: Float32Array.from({ length: 3 * rows }, () => size * random.normal()) }); // prettier-ignore
    const [x, levels] = [draw(40), [draw(2), draw(3), draw(6)]];
    const start = Array.from({ length: 40 }, () => [random.int(2), random.int(3), random.int(2)]);
    for (const rounds of [1, 3]) {
      const found = sinkhornRounds(x, start, levels, { epsilon: 0.3, iterations: times, rounds });
      expect(found, `seed ${seed}, ${rounds} rounds`).toEqual(plainRounds(x, start, levels, 0.3, times, rounds));
    }
  }
});

test('a single group is settled too', () => {
  const [x, book] = [matrix([[0], [1], [8], [9]]), matrix([[0], [1], [9]])];
  const start = [[0], [0], [0], [0]];
  const found = sinkhornRounds(x, start, [book], { epsilon: 0.3, iterations: 20, rounds: 1 });
  expect(found).toEqual(plainRounds(x, start, [book], 0.3, 20, 1));
  expect(new Set(found.flat())).toEqual(new Set([0, 2]));
});

test('by default 20 rounds of 50 iterations: one more of either gives other codes here', () => {
  const random = new Random(17);
  const draw = (rows: number): Vectors => ({ rows, width: 3, data: Float32Array.from({ length: 3 * rows }, () => random.normal()) }); // prettier-ignore
  const [x, levels] = [draw(30), [draw(1), draw(7)]];
  const start = Array.from({ length: 30 }, () => [0, random.int(7)]);
  const own = sinkhornRounds(x, start, levels);
  expect(sinkhornRounds(x, start, levels, { iterations: 50, rounds: 20 })).toEqual(own);
  expect(sinkhornRounds(x, start, levels, { iterations: 51 })).not.toEqual(own);
  expect(sinkhornRounds(x, start, levels, { rounds: 21 })).not.toEqual(own);
});
