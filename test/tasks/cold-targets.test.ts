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

test('the vectors of a file; none, or others, are refused', () => {
  const items = Array.from({ length: 6 }, () => ({ title: 'x', description: '', brand: '', categories: '' }));
  const embeddings = join(mkdtempSync(join(tmpdir(), 'sidlab-cold-')), 'x.npy');
  writeNpy(embeddings, vectors);
  expect(loadColdTargets({ train, items }, { ...OPTIONS, embeddings })).toHaveLength(3);
  expect(loadColdTargets({ train, items }, { ...OPTIONS, coldTargets: 0 })).toEqual([]);
  expect(() => loadColdTargets({ train, items }, OPTIONS)).toThrow('--cold-targets: expected --embeddings FILE');
  expect(() => coldTargets(train, vectors, 7, OPTIONS)).toThrow('expected vectors of 7 items, got 6');
});
