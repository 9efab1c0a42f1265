/** Items that must not be found, and scores by length, against the whole list cut by hand. */
import fc from '../fast-check.js';
import { beforeAll, expect, test } from 'vitest';
import { beamSearch } from '../../lib/decode/beam-search.js';
import { buildTrie } from '../../lib/decode/item-trie.js';
import { closedNodes, depthOf, leafOfItem } from '../../lib/decode/trie-paths.js';
import { useEngine } from '../../lib/engine/engine.js';
import type { LanguageModel } from '../../lib/lm/language-model.js';
import { loadModel } from '../../lib/lm/model.js';

let model: LanguageModel;
beforeAll(async () => {
  await useEngine();
  model = loadModel('test/golden/qwen2-tied');
});

/** Of one to four codes; 1 and 5 share a SID. */
const SEQUENCES = [[1, 10, 20], [1, 11, 20], [2, 12, 21, 20], [3, 13, 22, 20], [4, 20], [1, 11, 20], [2, 12, 23, 20], [2, 14, 20]]; // prettier-ignore
const PROMPTS = [[30, 31, 32], [7]];
const trie = buildTrie(SEQUENCES);
const some = fc.uniqueArray(fc.integer({ min: 0, max: SEQUENCES.length + 1 }));

test('a node is closed where every item below it is excluded', () => {
  fc.assert(
    fc.property(some, (items) => {
      const closed = closedNodes(trie, items);
      const below = (node: number): number[] =>
        [...SEQUENCES.keys()].filter((item) => {
          const leaf = leafOfItem(trie, item)!;
          return leaf === node || pathHas(leaf, node);
        });
      trie.firstItem.forEach((_, node) => {
        expect(closed.has(node)).toBe(below(node).every((item) => items.includes(item)));
      });
    }),
  );
});

function pathHas(leaf: number, node: number): boolean {
  const sequence = SEQUENCES[trie.items[trie.itemStart[leaf]!]!]!;
  let at = 0;
  for (const token of sequence) {
    if (at === node) return true;
    const tokens = trie.childToken.subarray(trie.childStart[at], trie.childStart[at + 1]);
    at = trie.childStart[at]! + tokens.indexOf(token) + 1;
  }
  return at === node;
}

test.each(['full', 'legal'] as const)('the list without them, as long as there are items (%s)', (normalize) => {
  const whole = beamSearch(model, trie, PROMPTS, { numBeams: 10, normalize });
  fc.assert(
    fc.property(some, some, (a, b) => {
      const exclude = [new Set(a), new Set(b)];
      const found = beamSearch(model, trie, PROMPTS, { numBeams: 10, normalize, exclude });
      found.forEach(({ items }, u) => expect(items).toEqual(whole[u]!.items.filter((item) => !exclude[u]!.has(item))));
    }),
    { numRuns: 25 },
  );
});

test('a narrow search is not spent on what is excluded', () => {
  const [best] = beamSearch(model, trie, [[7]], { numBeams: 8 });
  const exclude = [new Set(best!.items.slice(0, 5))];
  const [found] = beamSearch(model, trie, [[7]], { numBeams: 3, exclude });
  expect(found!.items).toHaveLength(3);
});

test('scores by length: divided by tokens to the power, best first', () => {
  const [plain] = beamSearch(model, trie, [[7]], { numBeams: 8 });
  for (const lengthPenalty of [1, 2, -1]) {
    const [found] = beamSearch(model, trie, [[7]], { numBeams: 8, lengthPenalty });
    const expected = plain!.items
      .map((item, i) => ({ item, score: plain!.scores[i]! / SEQUENCES[item]!.length ** lengthPenalty }))
      .sort((a, b) => b.score - a.score);
    expect(found!.items).toEqual(expected.map(({ item }) => item));
    found!.scores.forEach((score, i) => expect(score).toBeCloseTo(expected[i]!.score, 9));
  }
  expect(SEQUENCES.map((sequence, item) => depthOf(trie, leafOfItem(trie, item)!) - sequence.length)).toEqual(
    SEQUENCES.map(() => 0),
  );
});
