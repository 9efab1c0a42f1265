/** Rows for items that have none: whose, how many, and of which neighbours. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import fc from '../fast-check.js';
import type { Row } from '../../lib/data/dataset.js';
import { writeNpy } from '../../lib/files/npy.js';
import { coldTargets, loadColdTargets } from '../../lib/tasks/cold-targets.js';

const OPTIONS = { coldTargets: 2, coldSeen: 0, coldNeighbours: 1, seed: 1 };
/** Items 0 and 1 point east and north and are bought; 2 leans east, 3 north, 4 west; 5 has no vector. */
const DATA = [1, 0, 0, 2, 3, 1, 0.2, 1, -1, 0, 0, 0];
const vectors = { rows: 6, width: 2, data: Float32Array.from(DATA) };
const row = (user: string, history: number[], target: number): Row => ({ user, history, target });
const train = [row('a', [1], 0), row('b', [0], 1), row('c', [0, 0], 1), row('d', [1, 0], 1)];

test("a cold item gets its nearest neighbour's histories; what is like nothing gets none", () => {
  const made = coldTargets(train, vectors, 6, OPTIONS);
  expect(made.filter(({ target }) => target === 2)).toEqual([row('a', [1], 2)]);
  const north = made.filter(({ target }) => target === 3);
  expect(north).toHaveLength(2);
  north.forEach(({ user, history }) => expect(train.slice(1)).toContainEqual(row(user, history, 1)));
  expect(made.map(({ target }) => target)).toEqual([2, 3, 3]);
});

test('of a joined folder, neighbours are of the same data set', () => {
  const many = { ...OPTIONS, coldNeighbours: 9, coldTargets: 9 };
  const targets = (parts: number[]) =>
    new Set(coldTargets(train, vectors, 6, { ...many, parts }).map((of) => of.target));
  expect(targets([6])).toEqual(new Set([2, 3]));
  expect(targets([3, 3])).toEqual(new Set([2])); // 3 is like 1, which is of another
  const file = join(mkdtempSync(join(tmpdir(), 'sidlab-cold-')), 'x.npy');
  writeNpy(file, vectors);
  const part = (items: number) => ({ name: 'p', items, rows: { train: 2, valid: 0, test: 0 }, sources: {} });
  const item = { title: '', description: '', brand: '', categories: '' };
  const joined = { train, items: new Array(6).fill(item), parts: [part(3), part(3)] };
  expect(new Set(loadColdTargets(joined, { ...many, embeddings: file }).map((of) => of.target))).toEqual(new Set([2]));
});

test('more neighbours, and items that were bought once as cold ones', () => {
  const two = coldTargets(train, vectors, 6, { ...OPTIONS, coldNeighbours: 2, coldTargets: 9 });
  expect(two.filter(({ target }) => target === 2)).toHaveLength(4);
  // histories of first rows count: item 0 was bought 5 times, item 1 5 times
  expect(coldTargets(train, vectors, 6, { ...OPTIONS, coldSeen: 5 })).toEqual([]);
});

test('targets are cold items and sources rows of warm ones, by the seed', () => {
  const ids = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(ids, fc.nat(2), fc.integer({ min: 1, max: 4 }), fc.nat(), (targets, coldSeen, count, seed) => {
      const rows = targets.map((target, i) => row(`u${i}`, [target], target));
      const options = { coldTargets: count, coldSeen, coldNeighbours: 2, seed };
      const seen = (item: number): number => 2 * targets.filter((target) => target === item).length;
      const made = coldTargets(rows, vectors, 6, options);
      expect(coldTargets(rows, vectors, 6, options)).toEqual(made);
      for (const { user, history, target } of made) {
        const source = rows[Number(user.slice(1))]!;
        expect(seen(target)).toBeLessThanOrEqual(coldSeen);
        expect(seen(source.target)).toBeGreaterThan(coldSeen);
        expect(history).toEqual(source.history);
      }
      for (let item = 0; item < 6; item++) {
        expect(made.filter(({ target }) => target === item).length).toBeLessThanOrEqual(count);
      }
    }),
  );
});

test('neighbours are the warm items with the largest cosine above 0, of equal ones those with the smaller number', () => {
  const directions = [[1, 0], [3, 0], [0, 2], [1, 1], [2, 2], [-1, 0], [0, 0], [2, 1], [1, 3]]; // prettier-ignore
  const ids = fc.array(fc.integer({ min: 0, max: 7 }), { minLength: 1, maxLength: 12 });
  const of = fc.array(fc.constantFrom(...directions), { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(ids, of, fc.nat(2), fc.integer({ min: 1, max: 4 }), (targets, places, coldSeen, coldNeighbours) => {
      const rows = targets.map((target, i) => row(`u${i}`, [target], target));
      const bought = (item: number): number => 2 * targets.filter((target) => target === item).length; // a first history counts
      const cosine = (a: number, b: number): number => {
        const [[x, y], [u, v]] = [places[a]!, places[b]!] as [[number, number], [number, number]];
        const dot = x * u + y * v;
        return dot === 0 ? 0 : Number((dot / Math.hypot(x, y) / Math.hypot(u, v)).toFixed(6));
      };
      const expected = places.flatMap((_, item) => {
        if (bought(item) > coldSeen) return [];
        const warm = [...new Set(targets)].filter((other) => bought(other) > coldSeen && cosine(item, other) > 0);
        warm.sort((a, b) => cosine(item, b) - cosine(item, a) || a - b);
        const near = warm.slice(0, coldNeighbours);
        return rows.filter(({ target }) => near.includes(target)).map(({ user }) => `${user} ${item}`);
      });
      const data = Float32Array.from(places.flat());
      const options = { coldTargets: 99, coldSeen, coldNeighbours, seed: 1 };
      const made = coldTargets(rows, { rows: 8, width: 2, data }, 8, options);
      expect(made.map(({ user, target }) => `${user} ${target}`).sort()).toEqual(expected.sort());
      expect(made.map(({ target }) => target)).toEqual(made.map(({ target }) => target).sort((a, b) => a - b));
    }),
    { numRuns: 300 },
  );
});

test('the vectors of a file; none, or others, are refused', () => {
  const items = Array.from({ length: 6 }, () => ({ title: 'x', description: '', brand: '', categories: '' }));
  const embeddings = join(mkdtempSync(join(tmpdir(), 'sidlab-cold-')), 'x.npy');
  writeNpy(embeddings, vectors);
  expect(loadColdTargets({ train, items }, { ...OPTIONS, embeddings })).toHaveLength(3);
  expect(loadColdTargets({ train, items }, { ...OPTIONS, coldTargets: 0 })).toEqual([]);
  expect(() => loadColdTargets({ train, items }, OPTIONS)).toThrow('--cold-targets: expected --embeddings FILE');
  expect(() => coldTargets(train, vectors, 7, OPTIONS)).toThrow('expected vectors of 7 items, got 6');
});
