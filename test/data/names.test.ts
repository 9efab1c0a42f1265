import fc from '../fast-check.js';
import { expect, test } from 'vitest';
import { IdTable } from '../../lib/data/raw/id-table.js';

test('any names: numbered in the order met, and back', () => {
  const name = fc.oneof(fc.string({ maxLength: 3 }), fc.string({ unit: 'grapheme', maxLength: 3 }));
  fc.assert(
    fc.property(fc.array(name, { maxLength: 200 }), (all) => {
      const names = new IdTable();
      const plain = new Map<string, number>();
      for (const text of all) {
        if (!plain.has(text)) plain.set(text, plain.size);
        expect(names.id(text)).toBe(plain.get(text));
      }
      expect(names.list()).toEqual([...plain.keys()]);
      for (const text of [...all, 'never met']) expect(names.find(text)).toBe(plain.get(text) ?? -1);
    }),
  );
});

test('a hundred thousand of them: the table grows', () => {
  const names = new IdTable();
  const wrong = Array.from({ length: 100_000 }, (_, i) => names.id(`user ${i}`) - i).filter(Boolean);
  expect(wrong).toEqual([]);
  for (let i = 0; i < 100_000; i += 997) expect([names.find(`user ${i}`), names.name(i)]).toEqual([i, `user ${i}`]);
  for (const of of [names, names.sealed()]) {
    expect([[], [99_999, 3], [3, 99_999], [3]].map((some) => of.longest(Int32Array.from(some)))).toEqual([
      0, 10, 10, 6,
    ]);
  }
});

test('a name ends where it ends, whatever follows it in its source and in the table', () => {
  const names = new IdTable();
  const source = Buffer.from('abxy');
  expect([names.intern(source, 0, 2), names.intern(source, 2, 4), names.intern(source, 0, 2)]).toEqual([0, 1, 0]);
  const full = Buffer.alloc((1 << 15) + 1, 'x'); // as many bytes as a new table has room for, and one
  const other = new IdTable();
  expect([other.intern(full, 0, 1 << 15), other.find('x'), other.length(0)]).toEqual([0, -1, 1 << 15]);
});
