/**
 * Beam search against a plain one: a decoder in JavaScript numbers (`plain-decoder.ts`), one text at a time, and a search
 * that keeps the best so many of all continuations, with ties that are planted.
 */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { beamSearch, type Ranking } from '../../lib/decode/beam-search.js';
import { buildTrie } from '../../lib/decode/item-trie.js';
import { useEngine } from '../../lib/engine/engine.js';
import type { LanguageModel } from '../../lib/lm/language-model.js';
import { loadModel } from '../../lib/lm/model.js';
import { plainLogits } from '../lm/plain-decoder.js';

beforeAll(async () => void (await useEngine()));

const PROMPTS = [[3, 4, 5], [7], [30, 31, 32, 33, 34, 35, 36], [9, 8]];

/** Tokens that are the same to the model: the second of each pair has the rows of the first. */
const TWINS = [
  [1, 2],
  [10, 11],
  [20, 22],
] as const;

/** Scores closer than this are ties; others are further apart than `MARGIN`, which the test checks of its own numbers. */
const TIE = 1e-6;
const MARGIN = 2e-5;

function withTwins(folder: string): LanguageModel {
  const model = loadModel(folder);
  for (const name of ['model.embed_tokens.weight', 'lm_head.weight']) {
    const weight = model.weights.get(name);
    if (!weight) continue;
    const rows = weight.arraySync() as number[][];
    for (const [from, to] of TWINS) rows[to] = rows[from]!;
    tf.tidy(() => weight.assign(tf.tensor2d(rows)));
  }
  return model;
}

/**
 * SIDs of one to four codes. Siblings that are twins are exact ties: of the first code (1, 2), of the second (10, 11 under
 * 3) and of the last (20, 22); what follows twins differs, so that later scores are no ties. Items are numbered against
 * the order of the tokens. One code is forced before a choice (5, 14), one SID is forced from its first code on, one is
 * a single code, and two are shared by two items.
 */
function catalogue(tail: readonly number[], twins: boolean): number[][] {
  const last = twins ? [20, 22] : [20];
  const under = (first: number[], codes: number[]): number[][] => codes.map((code) => [...first, code]);
  const sids = [
    [0],
    ...under([1, 10], [...last, 25]),
    ...under([1, 12], [...last, 21]),
    ...under([2, 13], [23, ...last]),
    ...under([2, 16], [24, 26]),
    ...under([3, 10], [20, 23]),
    ...under([3, 11], [21, 24]),
    ...under([3, 15], last),
    ...under([5, 14], last),
    ...under([5, 14, 23], [15, 16]),
    [6, 17, 21, 18],
  ].reverse();
  return [...sids, sids[3]!, sids[9]!].map((sid) => [...sid, ...tail]);
}

interface Beam {
  tokens: number[];
  score: number;
  /** Smallest item below it. */
  first: number;
}

function plainSearch(
  model: LanguageModel,
  sequences: readonly (readonly number[])[],
  prompt: readonly number[],
  width: number,
  normalize: 'full' | 'legal',
): Ranking & { closest: number; ties: number } {
  const startsWith = (sequence: readonly number[], tokens: readonly number[]): boolean =>
    tokens.every((token, i) => sequence[i] === token);
  const below = (tokens: readonly number[]): number[] =>
    [...sequences.keys()].filter((item) => startsWith(sequences[item]!, tokens));
  const isWhole = ({ tokens }: Beam): boolean => sequences[below(tokens)[0]!]!.length === tokens.length;
  let closest = Infinity;
  let ties = 0;
  let beams: Beam[] = [{ tokens: [], score: 0, first: 0 }];
  while (!beams.every(isWhole)) {
    const candidates = beams.flatMap((beam): Beam[] => {
      if (isWhole(beam)) return [beam];
      const legal = [...new Set(below(beam.tokens).map((item) => sequences[item]![beam.tokens.length]!))];
      const logits = plainLogits(model, [...prompt, ...beam.tokens]).at(-1)!;
      const over = normalize === 'full' ? logits : legal.map((token) => logits[token]!);
      const total = Math.log(over.reduce((sum, x) => sum + Math.exp(x), 0));
      return legal.map((token) => {
        const tokens = [...beam.tokens, token];
        return { tokens, score: beam.score + logits[token]! - total, first: Math.min(...below(tokens)) };
      });
    });
    candidates.sort((a, b) => (Math.abs(a.score - b.score) < TIE ? a.first - b.first : b.score - a.score));
    candidates.slice(1).forEach(({ score }, i) => {
      const apart = candidates[i]!.score - score;
      if (apart > TIE) closest = Math.min(closest, apart);
      else ties++;
    });
    beams = candidates.slice(0, width);
  }
  const found = beams.flatMap((beam) => below(beam.tokens).map((item) => ({ item, score: beam.score })));
  const kept = found.slice(0, width);
  return { items: kept.map(({ item }) => item), scores: kept.map(({ score }) => score), closest, ties };
}

describe.each(['qwen2-tied', 'qwen2-untied', 'qwen3'])('%s', (name) => {
  describe.each([
    ['full', []],
    ['legal', []],
    ['full', [19, 0]],
    ['legal', [19, 0]],
  ] as ['full' | 'legal', number[]][])('scores over the %s set, tail %j', (normalize, tail) => {
    let ties = 0;

    test.each([1, 2, 3, 4, 5, 50])('%d beams', (numBeams) => {
      const model = withTwins(`test/golden/${name}`);
      // after twins a tail is scored from two states, which are equal but for rounding: no tie that an order can be asked of
      const sequences = catalogue(tail, normalize === 'legal' || tail.length === 0);
      const rankings = beamSearch(model, buildTrie(sequences), PROMPTS, { numBeams, normalize });
      PROMPTS.forEach((prompt, u) => {
        const expected = plainSearch(model, sequences, prompt, numBeams, normalize);
        expect(expected.closest).toBeGreaterThan(MARGIN);
        expect(rankings[u]!.items).toEqual(expected.items);
        rankings[u]!.scores.forEach((score, i) => expect(score).toBeCloseTo(expected.scores[i]!, 4));
        ties += expected.ties;
      });
    });

    test('there were ties to decide', () => {
      expect(ties).toBeGreaterThan(20);
    });
  });
});
