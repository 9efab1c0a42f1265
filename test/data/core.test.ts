import fc from '../fast-check.js';
import { expect, test } from 'vitest';
import { kCore } from '../../lib/data/filter/k-core.js';

test('the worked example of the docstring', () => {
  expect([...kCore([0, 0, 1], [0, 1, 0], 2, 1).kept]).toEqual([1, 1, 0]);
});

test('a chain falls as a whole', () => {
  // user 2 is too small; without it item 1 is, then user 1, then item 0, then user 0
  const core = kCore([0, 0, 1, 1, 2], [0, 2, 0, 1, 1], 2, 2);
  expect(core).toMatchObject({ usersRemoved: 3, itemsRemoved: 3 });
  expect([...core.kept]).toEqual([0, 0, 0, 0, 0]);
});

test('all items fall at once, and their user with the last of them', () => {
  const core = kCore([0, 0, 0, 0, 0], [0, 1, 2, 3, 4], 1, 2);
  expect(core).toMatchObject({ usersRemoved: 1, itemsRemoved: 5 });
  expect([...core.kept]).toEqual([0, 0, 0, 0, 0]);
});

test('the same as the plain rule on random data sets: remove all that are too small, until none is', () => {
  const edge = fc.tuple(fc.nat(7), fc.nat(7));
  const k = fc.integer({ min: 1, max: 4 });
  fc.assert(
    fc.property(fc.array(edge, { maxLength: 60 }), k, k, (edges, userK, itemK) => {
      const [users, items] = [edges.map(([user]) => user), edges.map(([, item]) => item)];
      const core = kCore(users, items, userK, itemK);
      const plain = plainCore(edges, userK, itemK);
      expect([...core.kept].map(Boolean)).toEqual(plain);
      const count = (ends: number[]) => new Set(ends).size - new Set(ends.filter((_, e) => plain[e])).size;
      expect([core.usersRemoved, core.itemsRemoved]).toEqual([count(users), count(items)]);
    }),
    { numRuns: 500 },
  );
});

function plainCore(edges: [number, number][], userK: number, itemK: number): boolean[] {
  const kept = edges.map(() => true);
  for (let changed = true; changed;) {
    changed = false;
    for (const [side, k] of [
      [0, userK],
      [1, itemK],
    ] as const) {
      const degree = (node: number) => edges.filter((edge, e) => kept[e] && edge[side] === node).length;
      const small = edges.map((edge, e) => kept[e]! && degree(edge[side]) < k);
      for (const [e, falls] of small.entries()) if (falls) [kept[e], changed] = [false, true];
    }
  }
  return kept;
}
