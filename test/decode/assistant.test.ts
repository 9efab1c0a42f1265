/** An assistant in every step of the search, against the whole list computed by hand. */
import fc from '../fast-check.js';
import { beforeAll, expect, test } from 'vitest';
import { assistantLogProbs } from '../../lib/decode/assistant.js';
import { beamSearch } from '../../lib/decode/beam-search.js';
import { buildTrie, tokensAfter, walk } from '../../lib/decode/item-trie.js';
import { choicesOf, leafOfItem } from '../../lib/decode/trie-paths.js';
import { useEngine } from '../../lib/engine/engine.js';
import type { LanguageModel } from '../../lib/lm/language-model.js';
import { loadModel } from '../../lib/lm/model.js';

let model: LanguageModel;
beforeAll(async () => {
  await useEngine();
  model = loadModel('test/golden/qwen2-tied');
});

/** Of one to four codes; 1 and 5 share a SID, `2 13 22` is forced after its second code. */
const SEQUENCES = [[1, 10, 20], [1, 11, 20], [2, 12, 21, 20], [2, 13, 22, 20], [4, 20], [1, 11, 20], [2, 12, 23, 20], [2, 14, 20]]; // prettier-ignore
const PROMPTS = [[30, 31, 32], [7]];
const trie = buildTrie(SEQUENCES);
const scoresOf = fc.array(fc.double({ min: -30, max: 30, noNaN: true }), { minLength: 8, maxLength: 8 });

test('two levels by hand', () => {
  const small = buildTrie([[1, 3], [1, 4], [2]]);
  const shares = assistantLogProbs(small, [0, Math.log(3), Math.log(6)]);
  const at = (...prefix: number[]): number => Math.exp(shares[walk(small, prefix)]!);
  expect([at(), at(1), at(2), at(1, 3), at(1, 4)].map((x) => Number(x.toFixed(9)))).toEqual([1, 0.4, 0.6, 0.25, 0.75]);
});

test("shares along a path multiply to the items' probabilities, whatever the size of the scores", () => {
  fc.assert(
    fc.property(scoresOf, fc.constantFrom(0, 1000, -1000), (own, shift) => {
      const scores = own.map((x) => x + shift);
      const shares = assistantLogProbs(trie, scores);
      const total = own.reduce((sum, x) => sum + Math.exp(x), 0);
      SEQUENCES.forEach((sequence, item) => {
        const path = sequence.reduce((sum, _, i) => sum + shares[walk(trie, sequence.slice(0, i + 1))]!, 0);
        const there = SEQUENCES.flatMap((other, i) => (other.join() === sequence.join() ? [own[i]!] : []));
        const expected = Math.log(there.reduce((sum, x) => sum + Math.exp(x), 0) / total);
        expect(path, `item ${item}`).toBeCloseTo(expected, 8);
      });
    }),
  );
});

test.each(['full', 'legal'] as const)('the list is that of the mixed scores of all items (%s)', (normalize) => {
  const whole = beamSearch(model, trie, PROMPTS, { numBeams: 8, normalize });
  fc.assert(
    fc.property(scoresOf, scoresOf, fc.double({ min: 0, max: 1, noNaN: true }), (a, b, weight) => {
      const found = beamSearch(model, trie, PROMPTS, { numBeams: 8, normalize, assistant: { scores: [a, b], weight } });
      found.forEach(({ items, scores }, u) => {
        const shares = assistantLogProbs(trie, [a, b][u]!);
        const mixed = whole[u]!.items.map((item, i) => {
          const sequence = SEQUENCES[item]!;
          const other = sequence.reduce((sum, _, k) => sum + shares[walk(trie, sequence.slice(0, k + 1))]!, 0);
          return { item, score: (1 - weight) * whole[u]!.scores[i]! + weight * other };
        });
        expect(items.length).toBe(8);
        items.forEach((item, i) => expect(scores[i]).toBeCloseTo(mixed.find((of) => of.item === item)!.score, 4));
        expect(scores).toEqual([...scores].sort((x, y) => y - x));
      });
    }),
    { numRuns: 10 },
  );
});

test('with numbers of the items beside: the mixed scores and those', () => {
  const itemBias = [0, -3, 2, 0.5, 1, -3, 4, -1];
  fc.assert(
    fc.property(scoresOf, scoresOf, (a, b) => {
      const assistant = { scores: [a, b], weight: 0.7 };
      const plain = beamSearch(model, trie, PROMPTS, { numBeams: 8, assistant });
      const found = beamSearch(model, trie, PROMPTS, { numBeams: 8, assistant, itemBias });
      found.forEach(({ items, scores }, u) => {
        expect(items.length).toBe(8);
        items.forEach((item, i) => {
          const mixed = plain[u]!.scores[plain[u]!.items.indexOf(item)]!;
          expect(scores[i]).toBeCloseTo(mixed + itemBias[item]!, 4);
        });
      });
    }),
    { numRuns: 10 },
  );
});

test('of a narrow search the assistant decides what is kept; the model says what it says', () => {
  const targets = [4, 4];
  const alone = beamSearch(model, trie, PROMPTS, { numBeams: 1, targets });
  const scores = PROMPTS.map(() => [0, 0, 0, 0, 0, 0, 0, 40]);
  const [led] = beamSearch(model, trie, PROMPTS, { numBeams: 1, targets, assistant: { scores, weight: 0.9 } });
  expect(led!.items).toEqual([7]);
  expect(led!.targetLogProbs).toEqual(alone[0]!.targetLogProbs);
  const [off] = beamSearch(model, trie, PROMPTS, { numBeams: 1, targets, assistant: { scores, weight: 0 } });
  expect(off).toEqual(alone[0]);
});

test('what is wrong is one line', () => {
  const assistant = (scores: number[][]) => ({ assistant: { scores, weight: 0.5 } });
  const short = [[0, 1], [0, 1]]; // prettier-ignore
  expect(() => beamSearch(model, trie, PROMPTS, assistant(short))).toThrow(
    'assistant: expected a finite score of every item, got undefined for item 4; train it on this catalogue',
  );
  expect(() => assistantLogProbs(trie, Array<number>(9).fill(0))).toThrow('assistant: expected scores of 8 items, got 9; train it on this catalogue'); // prettier-ignore
  expect(() => assistantLogProbs(trie, [0, 1, NaN, 0, 0, 0, 0, 0])).toThrow('got NaN for item 2');
  expect(() => beamSearch(model, trie, PROMPTS, assistant([[0]]))).toThrow(
    "expected a row of the assistant's for each",
  );
});

test('a length of choices leaves out the tokens that are forced', () => {
  const choices = (sequence: number[]): number =>
    sequence.filter((_, i) => tokensAfter(trie, walk(trie, sequence.slice(0, i))).length > 1).length;
  SEQUENCES.forEach((sequence, item) => expect(choicesOf(trie, leafOfItem(trie, item)!)).toBe(choices(sequence)));
  expect(SEQUENCES.map(choices)).toEqual([2, 2, 3, 2, 1, 2, 3, 2]);
  const plain = beamSearch(model, trie, PROMPTS, { numBeams: 8 });
  const found = beamSearch(model, trie, PROMPTS, { numBeams: 8, lengthPenalty: 1, lengthOf: 'choices' });
  found.forEach(({ items, scores }, u) =>
    items.forEach((item, i) => {
      const sum = plain[u]!.scores[plain[u]!.items.indexOf(item)]!;
      expect(scores[i]).toBeCloseTo(sum / choices(SEQUENCES[item]!), 6);
    }),
  );
  const one = buildTrie([[5, 6, 7]]);
  const [alone] = beamSearch(model, one, [[7]], { lengthPenalty: 1, lengthOf: 'choices' });
  expect(alone!.scores[0]).toBeLessThan(0);
  expect(alone!.scores[0]).toBe(beamSearch(model, one, [[7]])[0]!.scores[0]); // no choice: divided by 1, not by 0
});
