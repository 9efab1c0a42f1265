/** Log-probabilities of a target's tokens: those of the search where it finds the item, and of a plain decoder where not. */
import { beforeAll, describe, expect, test } from 'vitest';
import { beamSearch } from '../../lib/decode/beam-search.js';
import { buildTrie, tokensAfter, walk } from '../../lib/decode/item-trie.js';
import { pathOfItem } from '../../lib/decode/trie-paths.js';
import { useEngine } from '../../lib/engine/engine.js';
import { loadModel } from '../../lib/lm/model.js';
import { disposeWeights } from '../../lib/lm/weights.js';
import { plainLogits } from '../lm/plain-decoder.js';

beforeAll(async () => void (await useEngine()));

/** Of one to four codes; 1 and 5 share a SID, 3 is forced after its first code. */
const SEQUENCES = [
  [1, 10, 20],
  [1, 11, 20],
  [2, 12, 21, 20],
  [3, 13, 22, 20],
  [4, 20],
  [1, 11, 20],
  [2, 12, 23, 20],
];
const PROMPTS = [[30, 31, 32], [7], [30, 31], [30, 31, 5, 6]];
const trie = buildTrie(SEQUENCES);

test('the path of every item', () => {
  SEQUENCES.forEach((sequence, item) => {
    const path = pathOfItem(trie, item);
    expect(path).toEqual(sequence.map((_, depth) => walk(trie, sequence.slice(0, depth + 1))));
  });
  expect(() => pathOfItem(trie, 7)).toThrow('pathOfItem: expected an item of the trie, got 7');
});

describe.each(['qwen2-tied', 'qwen2-untied'])('%s', (name) => {
  test.each(['full', 'legal'] as const)('%s', (normalize) => {
    const model = loadModel(`test/golden/${name}`);
    for (const target of SEQUENCES.keys()) {
      const targets = PROMPTS.map((_, u) => (target + u) % SEQUENCES.length);
      const narrow = beamSearch(model, trie, PROMPTS, { numBeams: 1, normalize, targets });
      const wide = beamSearch(model, trie, PROMPTS, { numBeams: 10, normalize, targets });
      const without = beamSearch(model, trie, PROMPTS, { numBeams: 10, normalize });
      PROMPTS.forEach((prompt, u) => {
        const sequence = SEQUENCES[targets[u]!]!;
        const expected = sequence.map((token, depth) => {
          const before = sequence.slice(0, depth);
          const logits = plainLogits(model, [...prompt, ...before]).at(-1)!;
          const legal = normalize === 'full' ? [...logits.keys()] : [...tokensAfter(trie, walk(trie, before))];
          return logits[token]! - Math.log(legal.reduce((sum, other) => sum + Math.exp(logits[other]!), 0));
        });
        for (const found of [narrow, wide]) {
          expect(found[u]!.targetLogProbs!.length).toBe(sequence.length);
          found[u]!.targetLogProbs!.forEach((logProb, depth) => expect(logProb).toBeCloseTo(expected[depth]!, 4));
        }
        const { items, scores, targetLogProbs } = wide[u]!;
        expect({ items, scores }).toEqual(without[u]); // asking changes nothing
        const sum = targetLogProbs!.reduce((a, b) => a + b, 0);
        expect(scores[items.indexOf(targets[u]!)]).toBeCloseTo(sum, 4);
      });
    }
    disposeWeights(model.weights);
  });
});

test('an id that is no item has no path; a target is asked for each prompt or for none', () => {
  const model = loadModel('test/golden/qwen2-tied');
  const rankings = beamSearch(model, trie, PROMPTS.slice(0, 2), { numBeams: 2, targets: [99, 4] });
  expect(rankings.map(({ targetLogProbs }) => targetLogProbs!.length)).toEqual([0, 2]);
  expect(() => beamSearch(model, trie, PROMPTS, { targets: [1] })).toThrow('a target for each of 4 prompts, got 1');
  disposeWeights(model.weights);
});
