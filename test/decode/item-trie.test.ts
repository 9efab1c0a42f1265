/** The trie of the items. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildTrie, walk } from '../../lib/decode/item-trie.js';

test('a trie by hand', () => {
  const sequences = [
    [9, 3],
    [2, 11],
    [9, 1],
    [100, 3],
    [9, 3],
  ];
  expect(buildTrie(sequences)).toEqual({
    nodes: [
      { tokens: [2, 9, 100], children: [3, 1, 6], items: [], firstItem: 0 },
      { tokens: [1, 3], children: [5, 2], items: [], firstItem: 0 },
      { tokens: [], children: [], items: [0, 4], firstItem: 0 },
      { tokens: [11], children: [4], items: [], firstItem: 1 },
      { tokens: [], children: [], items: [1], firstItem: 1 },
      { tokens: [], children: [], items: [2], firstItem: 2 },
      { tokens: [3], children: [7], items: [], firstItem: 3 },
      { tokens: [], children: [], items: [3], firstItem: 3 },
    ],
    alphabet: Int32Array.of(1, 2, 3, 9, 11, 100),
    leaves: 4,
  });
});

test('one item of one token', () => {
  expect(buildTrie([[7]])).toMatchObject({ nodes: [{ tokens: [7], children: [1] }, { items: [0] }], leaves: 1 });
});

test('every prefix of an item leads to what follows it', () => {
  const code = fc.integer({ min: 0, max: 12 });
  const sequences = fc.array(fc.tuple(code, code, code), { minLength: 1, maxLength: 25 });
  fc.assert(
    fc.property(sequences, (sequences) => {
      const trie = buildTrie(sequences);
      expect(trie.leaves).toBe(new Set(sequences.map(String)).size);
      expect([...trie.alphabet]).toEqual([...new Set(sequences.flat())].sort((a, b) => a - b));
      for (const sequence of sequences) {
        for (let length = 0; length <= sequence.length; length++) {
          const prefix = sequence.slice(0, length);
          const below = [...sequences.keys()].filter((i) => prefix.every((token, at) => sequences[i]![at] === token));
          const next = new Set(below.flatMap((i) => sequences[i]!.slice(length, length + 1)));
          const node = trie.nodes[walk(trie, prefix)]!;
          expect(node.tokens).toEqual([...next].sort((a, b) => a - b));
          expect(node.children).toEqual(node.tokens.map((token) => walk(trie, [...prefix, token])));
          expect(node.firstItem).toBe(below[0]);
          expect(node.items).toEqual(length === sequence.length ? below : []);
        }
      }
    }),
  );
});

test.each([
  [[1, 3], "walk: no item's SID begins with tokens [1, 3]"],
  [[5, 2], "walk: no item's SID begins with tokens [5]"],
  [[1, 2, 4], "walk: no item's SID begins with tokens [1, 2, 4]"],
])('the prefix %j is outside of the trie', (prefix, message) => {
  expect(() => walk(buildTrie([[1, 2], [4]]), prefix)).toThrow(message);
});

test.each([
  [[], 'expected at least one item, got none'],
  [[[1], []], 'expected tokens for item 1, got none'],
  [
    [
      [1, 2, 3],
      [1, 2],
    ],
    'the SID of item 1 is the beginning of another',
  ],
  [[[4], [1, 2], [1, 2], [1, 2, 3]], 'the SID of item 1 is the beginning of another'],
])('%j are no items', (sequences, message) => {
  expect(() => buildTrie(sequences)).toThrow(message);
});
