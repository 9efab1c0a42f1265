/** Rounds of Sinkhorn over groups that collide, against NumPy's float64 products. */
import { expect, test } from 'vitest';
import type { Vectors } from '../../../lib/files/npy.js';
import { resolveCollisions } from '../../../lib/sid/collisions/collisions.js';
import { collidingGroups, sinkhornRounds } from '../../../lib/sid/collisions/sinkhorn-rounds.js';
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
