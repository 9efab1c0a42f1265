/** A number of each item's own beside the model's score, against the whole list sorted by hand. */
import fc from '../fast-check.js';
import { beforeAll, describe, expect, test } from 'vitest';
import { beamSearch } from '../../lib/decode/beam-search.js';
import { nodeBias } from '../../lib/decode/item-bias.js';
import { buildTrie } from '../../lib/decode/item-trie.js';
import { depthOf, leafOfItem, pathOfItem } from '../../lib/decode/trie-paths.js';
import { useEngine } from '../../lib/engine/engine.js';
import { logitAdjustment } from '../../lib/evaluate/logit-adjustment.js';
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
const biases = fc.array(fc.double({ min: -20, max: 20, noNaN: true }), { minLength: 8, maxLength: 8 });

test('a node has the largest number of the items below it', () => {
  fc.assert(
    fc.property(biases, (bias) => {
      const found = nodeBias(trie, bias);
      found.forEach((most, node) => {
        const below = SEQUENCES.flatMap((_, item) => (node === 0 || pathOfItem(trie, item).includes(node) ? [bias[item]!] : [])); // prettier-ignore
        expect(most).toBe(Math.max(...below));
      });
    }),
  );
});

describe.each(['full', 'legal'] as const)('%s', (normalize) => {
  test.each([0, 0.7])('every item by its log p and its number, with length penalty %f', (lengthPenalty) => {
    const whole = beamSearch(model, trie, PROMPTS, { numBeams: 8, normalize, maxItems: 99 });
    fc.assert(
      fc.property(biases, fc.uniqueArray(fc.nat(7), { maxLength: 6 }), (itemBias, closed) => {
        const exclude = PROMPTS.map(() => new Set(closed));
        const options = { numBeams: 8, normalize, itemBias, lengthPenalty, exclude, maxItems: 99 };
        beamSearch(model, trie, PROMPTS, options).forEach(({ items, scores }, u) => {
          const expected = whole[u]!.items.map((item, i) => {
            const own = whole[u]!.scores[i]! / depthOf(trie, leafOfItem(trie, item)!) ** lengthPenalty;
            return { item, score: own + itemBias[item]! };
          })
            .filter(({ item }) => !closed.includes(item))
            .sort((a, b) => b.score - a.score || a.item - b.item);
          expect(items).toEqual(expected.map(({ item }) => item));
          scores.forEach((score, i) => expect(score).toBeCloseTo(expected[i]!.score, 5));
        });
      }),
      { numRuns: 20 },
    );
  });

  test('a narrow search does not lose an item whose number outweighs everything', () => {
    for (let item = 0; item < 8; item++) {
      const itemBias = SEQUENCES.map((_, other) => (other === item ? 50 : 0));
      for (const { items } of beamSearch(model, trie, PROMPTS, { numBeams: 1, normalize, itemBias })) {
        expect(items).toEqual([item]);
      }
    }
  });

  test('the best of two beams are those of a wide search where the bound says so: at equal numbers the list stays', () => {
    const plain = beamSearch(model, trie, PROMPTS, { numBeams: 2, normalize });
    const biased = beamSearch(model, trie, PROMPTS, { numBeams: 2, normalize, itemBias: SEQUENCES.map(() => 3) });
    biased.forEach(({ items, scores }, u) => {
      expect(items).toEqual(plain[u]!.items);
      scores.forEach((score, i) => expect(score).toBeCloseTo(plain[u]!.scores[i]! + 3, 9));
    });
  });
});

test('logit adjustment: less for what was bought more, and the priors sum to 1', () => {
  const [often, never] = logitAdjustment([3, 0], 1) as unknown as [number, number];
  expect([often, never].map((x) => x.toFixed(4))).toEqual(['0.2231', '1.6094']);
  fc.assert(
    fc.property(fc.array(fc.nat(50), { minLength: 1 }), fc.double({ min: 0.1, max: 2, noNaN: true }), (counts, tau) => {
      const added = logitAdjustment(counts, tau);
      expect(added.reduce((sum, x) => sum + Math.exp(-x / tau), 0)).toBeCloseTo(1, 9);
      counts.forEach((n, a) => counts.forEach((m, b) => n > m && expect(added[a]!).toBeLessThan(added[b]!)));
    }),
  );
});
