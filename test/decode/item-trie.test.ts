/** The flat trie against sets of prefixes. */
import fc from '../fast-check.js';
import { expect, test } from 'vitest';
import { buildTrie, tokensAfter, walk } from '../../lib/decode/item-trie.js';

/** Sequences of which none is the beginning of another: they end with a token that is nowhere else. */
const SEQUENCES = fc.array(
  fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }).map((codes) => [...codes, 9]),
  { minLength: 1, maxLength: 30 },
);

test('what follows each prefix, the items at its end, and the smallest below it', () => {
  fc.assert(
    fc.property(SEQUENCES, (sequences) => {
      const trie = buildTrie(sequences);
      const prefixes = new Map<string, number[]>();
      for (const sequence of sequences) {
        for (let n = 0; n <= sequence.length; n++) prefixes.set(sequence.slice(0, n).join(), sequence.slice(0, n));
      }
      expect(trie.firstItem.length).toBe(prefixes.size);
      const nodes = new Set<number>();
      for (const prefix of prefixes.values()) {
        const node = walk(trie, prefix);
        nodes.add(node);
        const below = [...sequences.keys()].filter((i) => prefix.every((token, n) => sequences[i]![n] === token));
        const next = below.flatMap((i) => sequences[i]!.slice(prefix.length, prefix.length + 1));
        expect([...tokensAfter(trie, node)]).toEqual([...new Set(next)].sort((a, b) => a - b));
        expect(trie.firstItem[node]).toBe(below[0]);
        const ended = below.filter((i) => sequences[i]!.length === prefix.length);
        expect([...trie.items.subarray(trie.itemStart[node], trie.itemStart[node + 1])]).toEqual(ended);
      }
      expect(nodes.size).toBe(prefixes.size);
      expect([...trie.alphabet]).toEqual([...new Set(sequences.flat())].sort((a, b) => a - b));
      expect(trie.leaves).toBe(new Set(sequences.map((sequence) => sequence.join())).size);
    }),
  );
});

test('no item, an item without tokens, and a SID that begins another are errors', () => {
  expect(() => buildTrie([])).toThrow('buildTrie: expected at least one item, got none');
  expect(() => buildTrie([[1], []])).toThrow('buildTrie: expected tokens for item 1, got none');
  expect(() => buildTrie([[1, 2, 3], [4], [1, 2]])).toThrow('the SID of item 2 is the beginning of another');
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
