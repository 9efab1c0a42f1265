/** Beam search against exhaustive enumeration: every item's own text, scored by itself. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { beamSearch } from '../../lib/decode/beam-search.js';
import { ForestCache } from '../../lib/decode/forest-cache.js';
import { buildTrie, type ItemTrie, tokensAfter, walk } from '../../lib/decode/item-trie.js';
import { useEngine } from '../../lib/engine/engine.js';
import { forwardForest, outputLayer, prepareForest } from '../../lib/lm/decoder.js';
import { chain, packTrees } from '../../lib/lm/forest.js';
import { loadModel } from '../../lib/lm/model.js';
import { type LanguageModel } from '../../lib/lm/language-model.js';
import { Random } from '../../lib/support/random.js';

let model: LanguageModel;
beforeAll(async () => {
  await useEngine();
  model = loadModel('test/golden/qwen2-tied');
});

/** Items of three codes; some share their first code, two share their whole SID, all end in the given tail. */
function items(tail: number[]): number[][] {
  const random = new Random(3);
  const codes = Array.from({ length: 14 }, () => [1 + random.int(4), 10 + random.int(4), 20 + random.int(5)]);
  return [...codes, codes[0]!].map((sid) => [...sid, ...tail]);
}
const PROMPTS = [[3, 4, 5], [7], [30, 31, 32, 33, 34, 35, 36]];

/** log p of each item after each prompt, a text at a time. */
function enumerate(sequences: number[][], prompt: number[], trie: ItemTrie, normalize: 'full' | 'legal'): number[] {
  return sequences.map((sequence) => {
    const logits = tf.tidy(() => {
      const forest = prepareForest(model.config, packTrees([chain([...prompt, ...sequence])]));
      const hidden = forwardForest(model.config, model.weights, forest);
      return tf.matMul(hidden, outputLayer(model.config, model.weights), false, true).arraySync() as number[][];
    });
    return sequence.reduce((sum, token, i) => {
      const row = logits[prompt.length - 1 + i]!;
      const legal =
        normalize === 'full' ? row : [...tokensAfter(trie, walk(trie, sequence.slice(0, i)))].map((t) => row[t]!);
      return sum + row[token]! - Math.log(legal.reduce((total, x) => total + Math.exp(x), 0));
    }, 0);
  });
}

describe.each([
  ['full', []],
  ['legal', []],
  ['full', [2, 0]],
  ['legal', [2, 0]],
] as ['full' | 'legal', number[]][])('scores over the %s set, tail %j', (normalize, tail) => {
  test('as many beams as items: the enumeration, in items and in scores', () => {
    const sequences = items(tail);
    const trie = buildTrie(sequences);
    const rankings = beamSearch(model, trie, PROMPTS, { numBeams: sequences.length, normalize });
    PROMPTS.forEach((prompt, u) => {
      const scores = enumerate(sequences, prompt, trie, normalize);
      const order = [...scores.keys()].sort((a, b) =>
        Math.abs(scores[b]! - scores[a]!) > 1e-6 ? scores[b]! - scores[a]! : a - b,
      );
      expect(rankings[u]!.items).toEqual(order);
      rankings[u]!.scores.forEach((score, i) => expect(score).toBeCloseTo(scores[order[i]!]!, 4));
    });
  });
});

test('a few beams: valid, distinct, and the best of what a greedy width would keep', () => {
  const trie = buildTrie(items([]));
  for (const ranking of beamSearch(model, trie, PROMPTS, { numBeams: 4 })) {
    expect(new Set(ranking.items).size).toBe(4);
    expect([...ranking.scores].sort((a, b) => b - a)).toEqual(ranking.scores);
  }
});

test.each([
  ['full', [3 * 2, 3 * 4, 3 * 8 * 2]],
  ['legal', [3 * 2, 3 * 4]],
] as ['full' | 'legal', number[]][])('%s: forced tails in one pass, and complete beams in none', (normalize, rows) => {
  // two codes at each of three places, then a tail of two tokens, of which the last is only predicted; one item is a code
  const sids = Array.from({ length: 8 }, (_, i) => [1 + (i >> 2), 10 + ((i >> 1) & 1), 20 + (i & 1), 30, 0]);
  const grow = vi.spyOn(ForestCache.prototype, 'grow');
  const found = beamSearch(model, buildTrie([...sids, [3]]), PROMPTS, { numBeams: 10, normalize });
  const grown = grow.mock.calls.map(([tokens]) => tokens.length);
  grow.mockRestore();
  expect(grown).toEqual(rows);
  found.forEach(({ items }) => expect([...items].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]));
});

test('one engine state before and after: nothing is leaked', () => {
  const trie = buildTrie(items([]));
  const before = tf.memory().numTensors;
  beamSearch(model, trie, PROMPTS, { numBeams: 4 });
  expect(tf.memory().numTensors).toBe(before);
});

test('50 beams unless others are asked for, as many items; no prompts, no rankings', () => {
  const trie = buildTrie(Array.from({ length: 52 }, (_, i) => [i % 40, i < 40 ? 40 : 39]));
  const [ranking] = beamSearch(model, trie, [[3]]);
  expect(ranking!.items).toHaveLength(50);
  expect(beamSearch(model, trie, [[3]], { numBeams: 1 })[0]!.items).toHaveLength(1);
  expect(beamSearch(model, trie, [])).toEqual([]);
});

test.each([0, -1, 1.5, NaN])('%d beams are refused', (numBeams) => {
  expect(() => beamSearch(model, buildTrie([[1]]), PROMPTS, { numBeams })).toThrow(
    `beamSearch: expected numBeams to be a positive integer, got ${numBeams}`,
  );
});
