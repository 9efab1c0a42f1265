/** `reassign` and the search for a free SID: which code changes, by how much, and what stays as it was. */
import fc from '../fast-check.js';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { rowOf, type Vectors } from '../../lib/files/npy.js';
import { assignSids } from '../../lib/sid/assign-sids.js';
import { rqKmeansConstrained } from '../../lib/sid/balanced/rqkmeans-constrained.js';
import { FreeCodes } from '../../lib/sid/collisions/free-codes.js';
import { reassign } from '../../lib/sid/collisions/reassign.js';
import { squaredDistance } from '../../lib/sid/kmeans/distance.js';
import { rqKmeans } from '../../lib/sid/kmeans/rqkmeans.js';
import { countCodes, reconstruct } from '../../lib/sid/quantized.js';
import { Random } from '../../lib/support/random.js';

beforeAll(() => useEngine());

function vectors(rows: number[][]): Vectors {
  return { rows: rows.length, width: rows[0]!.length, data: Float32Array.from(rows.flat()) };
}

function cloud(rows: number, width: number, seed = 1): Vectors {
  const random = new Random(seed);
  return { rows, width, data: Float32Array.from({ length: rows * width }, () => random.normal()) };
}

const spelled = (codes: readonly number[][]) => new Set(codes.map((path) => path.join()));

test('an item that is not at its nearest codes keeps its prefix', () => {
  const books = [vectors([[0], [10]]), vectors([[0], [1], [2]])];
  // both lie near code 0 of the first level, where nothing else is; whoever made the codes put them under code 1
  const codes = reassign(vectors([[1], [2]]), [[1, 0], [1, 0]], books); // prettier-ignore
  expect(codes).toEqual([[1, 1], [1, 0]]); // prettier-ignore
});

test('what is compared with the last codes is what the prefix leaves over, not the vector', () => {
  const books = [vectors([[0], [10]]), vectors([[0], [1], [11]])];
  const codes = reassign(vectors([[10], [11]]), [[1, 0], [1, 0]], books); // prettier-ignore
  expect(codes).toEqual([
    [1, 0],
    [1, 1],
  ]); // 11 - 10 = 1; of the vector itself code 2 would be the nearest
});

test('a full prefix: the level above moves to its nearest code with room, ties to the lower', () => {
  const books = [vectors([[0], [100]]), vectors([[0], [4], [-4], [50]]), vectors([[0], [1]])];
  const same = [[0], [0], [0], [0], [0]];
  const codes = reassign(vectors(same), same.map(() => [0, 0, 0]), books); // prettier-ignore
  expect(codes).toEqual([[0, 0, 0], [0, 0, 1], [0, 1, 0], [0, 1, 1], [0, 2, 1]]); // prettier-ignore
  const many = vectors(Array.from({ length: 9 }, () => [0]));
  const moved = reassign(many, Array.from({ length: 9 }, () => [0, 0, 0]), books); // prettier-ignore
  expect(moved[8]).toEqual([1, 2, 0]); // all eight under code 0 are taken: -100 is nearest to -4, and -96 to 0
});

test('of the items that share a SID the nearest keeps it, ties to the lower id', () => {
  const books = [vectors([[0], [5]])];
  expect(reassign(vectors([[2], [1]]), [[0], [0]], books)).toEqual([[1], [0]]);
  expect(reassign(vectors([[1], [-1]]), [[0], [0]], books)).toEqual([[0], [1]]);
});

interface Problem {
  x: Vectors;
  books: Vectors[];
  codes: number[][];
}

/** Codes at random, as only a method with limits would give them, and not more items than SIDs. */
const problems: fc.Arbitrary<Problem> = fc
  .record({
    sizes: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
    fill: fc.double({ min: 0, max: 1, noNaN: true }),
    kinds: fc.integer({ min: 1, max: 6 }),
    seed: fc.nat(),
  })
  .map(({ sizes, fill, kinds, seed }) => {
    const random = new Random(seed);
    const room = sizes.reduce((product, size) => product * size, 1);
    const paths = Array.from({ length: kinds }, () => sizes.map((size) => random.int(size)));
    const rows = Math.max(1, Math.round(fill * room));
    const codes = Array.from({ length: rows }, () => paths[random.int(kinds)]!);
    return { x: cloud(rows, 2, seed), books: sizes.map((size, level) => cloud(size, 2, seed + level)), codes };
  });

/** Every SID that there is. */
function everySid(books: readonly Vectors[]): number[][] {
  return books.reduce<number[][]>(
    (paths, { rows }) => paths.flatMap((path) => Array.from({ length: rows }, (_, code) => [...path, code])),
    [[]],
  );
}

/** The free SID of an item, by looking at all of them: longest shared prefix, then level by level the nearest code. */
function bestFree(free: number[][], vector: Float32Array, own: readonly number[], books: readonly Vectors[]): number[] {
  const shared = (path: readonly number[]): number => {
    const other = path.findIndex((code, level) => code !== own[level]);
    return other < 0 ? path.length : other;
  };
  const longest = Math.max(...free.map(shared));
  let left = free.filter((path) => shared(path) === longest);
  for (let level = longest; level < books.length; level++) {
    const before = left[0]!.slice(0, level);
    const residual = Float32Array.from(vector);
    before.forEach((code, l) => residual.forEach((_, j) => (residual[j]! -= rowOf(books[l]!, code)[j]!)));
    const codes = [...new Set(left.map((path) => path[level]!))].sort((a, b) => a - b);
    const distances = codes.map((code) => squaredDistance(residual, rowOf(books[level]!, code)));
    const best = codes[distances.indexOf(Math.min(...distances))]!;
    left = left.filter((path) => path[level] === best);
  }
  return left[0]!;
}

test('every item goes where a search of all SIDs would put it', () => {
  fc.assert(
    fc.property(problems, ({ x, books, codes }) => {
      const after = reassign(x, codes, books);
      const keepers = new Set<number>();
      for (const sid of spelled(codes)) {
        const group = codes.flatMap((path, item) => (path.join() === sid ? [item] : []));
        const distances = group.map((item) => squaredDistance(rowOf(x, item), reconstruct(codes[item]!, books)));
        keepers.add(group[distances.indexOf(Math.min(...distances))]!);
      }
      let free = everySid(books).filter((path) => !spelled([...keepers].map((item) => codes[item]!)).has(path.join()));
      codes.forEach((own, item) => {
        const want = keepers.has(item) ? own : bestFree(free, rowOf(x, item), own, books);
        expect(after[item]).toEqual(want);
        free = free.filter((path) => path.join() !== want.join());
      });
    }),
    { numRuns: 300 },
  );
});

test('no two alike; where no prefix overflows, every earlier level keeps its codes, item by item', () => {
  fc.assert(
    fc.property(problems, ({ x, books, codes }) => {
      const after = reassign(x, codes, books);
      expect(spelled(after).size).toBe(codes.length);
      const prefixes = codes.map((path) => path.slice(0, -1));
      const groups = [...spelled(prefixes)].map((sid) => prefixes.filter((path) => path.join() === sid).length);
      if (groups.every((size) => size <= books.at(-1)!.rows)) {
        expect(after.map((path) => path.slice(0, -1))).toEqual(prefixes);
      }
    }),
    { numRuns: 300 },
  );
});

test('even sizes stay even: uniform and constrained codes, resolved by reassigning', () => {
  const x = cloud(400, 4);
  const sizesOf = (codes: number[][]) => countCodes(codes, [20, 20, 20]);
  const uniform = rqKmeans(x, { codebookSize: 20, uniform: true });
  const constrained = rqKmeansConstrained(x, { codebookSize: 20, collisions: 'reassign' });
  for (const { codes, raw, collision } of [uniform, constrained]) {
    expect(collision.raw).toBeGreaterThan(0);
    expect(collision.final).toBe(0);
    expect(sizesOf(codes).slice(0, 2)).toEqual(sizesOf(raw).slice(0, 2));
  }
  expect(sizesOf(uniform.codes).slice(0, 2).flat()).toEqual(Array<number>(40).fill(20));
  const sizes = sizesOf(constrained.codes).slice(0, 2).flat();
  expect(Math.min(...sizes)).toBeGreaterThanOrEqual(19);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(21);
});

test('a new item whose SID is in use takes the nearest free last code of its prefix', () => {
  const books = [vectors([[0], [10]]), vectors([[0], [1], [2]])];
  const inUse = [[1, 1], [1, 2, 0], [1, 2, 1]]; // prettier-ignore
  expect(assignSids(vectors([[11], [12]]), books, inUse)).toEqual([[1, 0], [0, 2]]); // prettier-ignore
});

test('ranks are ignored, taking twice counts once, a claim without room is an error', () => {
  const free = new FreeCodes([vectors([[0], [1]])]);
  free.take([1, 7]);
  free.take([1]);
  expect([free.room, free.has([1, 3]), free.has([0])]).toEqual([1, true, false]);
  expect(free.claim(Float32Array.of(1), [1])).toEqual([0]);
  expect(() => free.claim(Float32Array.of(1), [1])).toThrow('expected a free SID, got none');
});

test('the last code is the nearest that is free, whoever has the own one', () => {
  const free = new FreeCodes([vectors([[0], [10]]), vectors([[0], [1], [2]])]);
  expect(free.claim(Float32Array.of(11), [1, 2])).toEqual([1, 1]);
});
