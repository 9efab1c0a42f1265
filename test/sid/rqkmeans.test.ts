import { existsSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import fc from '../fast-check.js';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { readNpy, type Vectors } from '../../lib/files/npy.js';
import type { Collisions } from '../../lib/sid/choices.js';
import { reassign } from '../../lib/sid/collisions/reassign.js';
import { kmeans } from '../../lib/sid/kmeans/kmeans.js';
import { rqKmeans } from '../../lib/sid/kmeans/rqkmeans.js';
import { Random } from '../../lib/support/random.js';

const REAL = '../shared/data/industrial/Industrial_and_Scientific.emb-lsa.npy';

beforeAll(() => useEngine());

function vectors(rows: number[][]): Vectors {
  return { rows: rows.length, width: rows[0]!.length, data: Float32Array.from(rows.flat()) };
}

function cloud(rows: number, width: number, seed = 1): Vectors {
  const random = new Random(seed);
  return { rows, width, data: Float32Array.from({ length: rows * width }, () => random.normal()) };
}

const distinct = (codes: number[][]) => new Set(codes.map((path) => path.join())).size;

test('k-means finds four far-off groups and their means', () => {
  const corners = [[0, 0], [0, 10], [10, 0], [10, 10]]; // prettier-ignore
  const points = corners.flatMap(([x, y]) => [[x! - 1, y!], [x! + 1, y!], [x!, y!]]); // prettier-ignore
  const { data } = kmeans(vectors(points), { codes: 4 });
  expect([[0, 1], [2, 3], [4, 5], [6, 7]].map(([a, b]) => [data[a!], data[b!]]).sort()).toEqual(corners); // prettier-ignore
});

test('every centre is the mean of the rows nearest to it', () => {
  const x = cloud(120, 3);
  const { codes, codebooks } = rqKmeans(x, { levels: 1, codebookSize: 9, collisions: 'keep' });
  for (let code = 0; code < 9; code++) {
    const own = codes.flatMap(([c], i) => (c === code ? [i] : []));
    for (let j = 0; j < 3; j++) {
      const mean = own.reduce((sum, i) => sum + x.data[i * 3 + j]!, 0) / own.length;
      expect(codebooks[0]!.data[code * 3 + j]).toBeCloseTo(mean, 5);
    }
  }
});

test('each level lowers the error, and the same seed gives the same codes', () => {
  const x = cloud(200, 8);
  const errors = [1, 2, 3].map((levels) => rqKmeans(x, { levels, codebookSize: 16, collisions: 'keep' }).mse);
  expect(errors[1]!).toBeLessThan(0.8 * errors[0]!);
  expect(errors[2]!).toBeLessThan(0.8 * errors[1]!);
  expect(rqKmeans(x, { seed: 5 })).toEqual(rqKmeans(x, { seed: 5 }));
  expect(rqKmeans(x, { seed: 5 }).codes).not.toEqual(rqKmeans(x, { seed: 6 }).codes);
});

test('reassigning leaves no two alike, whatever the input, and touches nobody alone', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 5 }), fc.nat(), (rows, kinds, seed) => {
      const patterns = cloud(kinds, 3, seed);
      const rowsOf = Array.from({ length: rows }, (_, i) => [
        ...patterns.data.subarray((i % kinds) * 3, (i % kinds) * 3 + 3),
      ]);
      const options = { levels: 3, codebookSize: Math.min(rows, 4) };
      const before = rqKmeans(vectors(rowsOf), { ...options, collisions: 'keep' });
      const after = rqKmeans(vectors(rowsOf), options);
      expect(distinct(after.codes)).toBe(rows);
      expect(after.collision).toEqual({ raw: before.collision.raw, final: 0 });
      before.codes.forEach((path, i) => {
        const alone = before.codes.filter((other) => other.join() === path.join()).length === 1;
        if (alone) expect(after.codes[i]).toEqual(path);
      });
    }),
    { numRuns: 40 },
  );
});

test('the worked example: nearest free code, then the next prefix with room', () => {
  const x = vectors([[0], [0.1], [0], [0]]);
  const books = [vectors([[0], [10]]), vectors([[0], [1]])];
  const codes = reassign(x, [[0, 0], [0, 0], [0, 0], [0, 0]], books); // prettier-ignore
  // Item 0 is nearest (first of equals) and stays; 1 takes the free code; prefix 0 is full, so 2 and 3 move to prefix 1.
  expect(codes).toEqual([[0, 0], [0, 1], [1, 0], [1, 1]]); // prettier-ignore
});

test('constant vectors and zeros: one code a level is used, SIDs stay unique', () => {
  const constant = vectors(Array.from({ length: 60 }, () => [0.5, 0.5]));
  const kept = rqKmeans(constant, { collisions: 'keep' });
  expect(kept.codesUsed).toEqual([1, 1, 1]);
  expect(kept.collision).toEqual({ raw: 59 / 60, final: 59 / 60 });
  expect(kept.mse).toBe(0);
  const zeros = rqKmeans(vectors(Array.from({ length: 300 }, () => [0, 0])), { codebookSize: 8 });
  expect(zeros.collision.final).toBe(0);
  expect(zeros.clusterSize.max).toBeLessThanOrEqual(64);
});

test('duplicates by the hundred', () => {
  const base = cloud(5, 4);
  const rows = Array.from({ length: 500 }, (_, i) => [...base.data.subarray((i % 5) * 4, (i % 5) * 4 + 4)]);
  const { collision, codesUsed } = rqKmeans(vectors(rows), { codebookSize: 32 });
  expect(collision).toEqual({ raw: 0.99, final: 0 });
  expect(codesUsed[0]).toBe(5);
});

test('a small catalogue gets fewer codes by default', () => {
  expect(rqKmeans(cloud(3, 2)).codebooks.map((book) => book.rows)).toEqual([3, 3, 3]);
  expect(rqKmeans(cloud(200, 2)).codebooks.map((book) => book.rows)).toEqual([25, 25, 25]);
  expect(rqKmeans(cloud(20, 2), { codebookSize: [4, 8] }).codebooks.map((book) => book.rows)).toEqual([4, 8]);
});

test('bad input says where and what to do', () => {
  const x = cloud(9, 2);
  const holed = { ...x, data: x.data.with(7, NaN) };
  expect(() => rqKmeans(holed, {}, 'x.npy')).toThrow('x.npy: row 3, column 1 is NaN; embed the items anew');
  expect(() => rqKmeans({ ...x, data: x.data.with(0, Infinity) })).toThrow('row 0, column 0 is Infinity');
  expect(() => rqKmeans(x, { codebookSize: 10 })).toThrow('expected a codebook size from 1 to 9');
  expect(() => rqKmeans(x, { codebookSize: 2 })).toThrow('expected at most 8 items for 2 x 2 x 2 codes, got 9');
  expect(() => rqKmeans(x, { codebookSize: [2, 2], levels: 3 })).toThrow('expected 3 codebook sizes');
  expect(() => rqKmeans(x, { levels: 0 })).toThrow('expected levels to be a whole number from 1 to 25, got 0');
  expect(() => rqKmeans(x, { collisions: 'none' as Collisions })).toThrow(
    'expected collisions to be one of reassign, sinkhorn, rank, keep',
  );
  expect(() => rqKmeans({ rows: 0, width: 2, data: new Float32Array() })).toThrow('got none');
});

test.skipIf(!existsSync(REAL))('real vectors, 3 x 256 (skipped without ../shared/data)', ({ skip }) => {
  skip(tf.getBackend() !== 'tensorflow', 'a minute on an engine that is not native');
  const start = performance.now();
  const { mse, collision, codesUsed, clusterSize } = rqKmeans(readNpy(REAL));
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  process.stderr.write(JSON.stringify({ seconds, mse: mse * 384, collision, codesUsed, clusterSize }) + '\n');
  expect(collision.final).toBe(0);
  expect(collision.raw).toBeLessThan(0.35);
  expect(mse * 384).toBeLessThan(0.45); // of rows of length 1
});
