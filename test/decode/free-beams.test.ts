/** Beams without the trie against a plain search: every text's logits by itself, every candidate compared. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { type FreeBeam, freeBeams } from '../../lib/decode/free-beams.js';
import { generate } from '../../lib/decode/generate.js';
import { useEngine } from '../../lib/engine/engine.js';
import type { LanguageModel } from '../../lib/lm/language-model.js';
import { loadModel } from '../../lib/lm/model.js';
import { plainLogits } from '../lm/plain-decoder.js';

const PROMPTS = [[3, 4, 5], [7], [30, 31, 32, 33, 34], [9, 8]];

let model: LanguageModel;
beforeAll(async () => {
  await useEngine();
  model = loadModel('test/golden/qwen3');
});

const known = new Map<string, number[]>();

/** log p of every token after a text. */
function logProbabilities(text: readonly number[]): number[] {
  const found = known.get(String(text));
  if (found) return found;
  const logits = plainLogits(model, text).at(-1)!;
  const total = Math.log(logits.reduce((sum, x) => sum + Math.exp(x), 0));
  const computed = logits.map((x) => x - total);
  known.set(String(text), computed);
  return computed;
}

function plainSearch(prompt: readonly number[], width: number, maxTokens: number, ends: readonly number[]): FreeBeam[] {
  let live: FreeBeam[] = [{ tokens: [], score: 0, ended: false }];
  let done: FreeBeam[] = [];
  const best = (beams: FreeBeam[]): FreeBeam[] => [...beams].sort((a, b) => b.score - a.score).slice(0, width);
  for (let step = 1; ; step++) {
    const grown = live.flatMap(({ tokens, score }) =>
      logProbabilities([...prompt, ...tokens]).map((p, token) =>
        ends.includes(token)
          ? { tokens, score: score + p, ended: true }
          : { tokens: [...tokens, token], score: score + p, ended: false },
      ),
    );
    const among = best(grown);
    done = best([...done, ...among.filter(({ ended }) => ended || step === maxTokens)]);
    live = best(grown.filter(({ ended }) => !ended));
    if (step === maxTokens || (done.length === width && live[0]!.score <= done.at(-1)!.score)) return done;
  }
}

test.each([
  [1, [], 4],
  [1, [38], 4],
  [2, [38], 6],
  [3, [38, 25], 5],
  [5, [38, 25, 8, 12], 5],
  [4, Array.from({ length: 20 }, (_, i) => i), 5],
  [38, [4, 38, 40], 2],
])('%i beams, ends %j, at most %i tokens', async (numBeams, endTokens, maxTokens) => {
  const found = await freeBeams(model, PROMPTS, { numBeams, endTokens, maxTokens });
  PROMPTS.forEach((prompt, p) => {
    const expected = plainSearch(prompt, numBeams, maxTokens, endTokens);
    expect(found[p]!.map(({ tokens, ended }) => ({ tokens, ended }))).toEqual(
      expected.map(({ tokens, ended }) => ({ tokens, ended })),
    );
    found[p]!.forEach(({ score }, b) => expect(score).toBeCloseTo(expected[b]!.score, 4));
  });
});

test('one beam is greedy; as many as the vocabulary are all texts of a token', async () => {
  const one = await freeBeams(model, PROMPTS, { numBeams: 1, maxTokens: 6, endTokens: [] });
  const { texts } = await generate(model, PROMPTS, { maxTokens: 6, endTokens: [] });
  expect(one.map(([beam]) => beam!.tokens)).toEqual(texts.map(({ tokens }) => tokens));
  const all = await freeBeams(model, PROMPTS, { numBeams: model.config.vocabSize, maxTokens: 1, endTokens: [38] });
  for (const beams of all) {
    expect(beams.reduce((sum, { score }) => sum + Math.exp(score), 0)).toBeCloseTo(1, 4);
    expect(beams.filter(({ ended, tokens }) => ended && tokens.length === 0)).toHaveLength(1);
  }
});

describe('batches', () => {
  /** Prompts of a length each, told apart by their last token. */
  const ofLengths = (lengths: readonly number[]): number[][] =>
    lengths.map((length, i) => [...new Array<number>(length - 1).fill(1), 2 + i]);

  /** Which prompts have texts if the search is stopped before its batch number `batches`. */
  async function searched(prompts: number[][], batches: number, batchRows?: number): Promise<number[]> {
    let asked = 0;
    const stop = (): boolean => asked++ >= batches; // with one token a text, it is asked before every batch alone
    const options = { numBeams: 1, maxTokens: 1, endTokens: [], stop, ...(batchRows && { batchRows }) };
    const found = await freeBeams(model, prompts, options);
    return [...prompts.keys()].filter((p) => found[p]!.length > 0);
  }

  test('the shortest prompts first, equal ones in their order', async () => {
    const prompts = ofLengths([4, 2, 3, 2, 1]);
    expect(await searched(prompts, 0, 2)).toEqual([]);
    expect(await searched(prompts, 1, 2)).toEqual([1, 4]);
    expect(await searched(prompts, 2, 2)).toEqual([1, 2, 3, 4]);
    expect(await searched(prompts, 3, 2)).toEqual([0, 1, 2, 3, 4]);
  });

  test('16 prompts unless other batches are asked for', async () => {
    const prompts = ofLengths(new Array<number>(18).fill(1));
    expect(await searched(prompts, 1)).toEqual([...Array(16).keys()]);
  });

  test('texts end where the longest prompt of their batch has no room left', async () => {
    const prompts = ofLengths([1, 61]);
    const options = { numBeams: 2, maxTokens: 10, endTokens: [] };
    const lengths = async (batchRows: number): Promise<number[]> =>
      (await freeBeams(model, prompts, { ...options, batchRows })).map(([beam]) => beam!.tokens.length);
    expect(await lengths(2)).toEqual([3, 3]);
    expect(await lengths(1)).toEqual([10, 3]);
  });

  test('a search that is stopped within a batch leaves it empty, the batches before it whole', async () => {
    const before = tf.memory().numTensors;
    let asked = 0;
    const stop = (): boolean => asked++ >= 8; // 6 times in and before the first batch, twice in the second
    const options = { numBeams: 3, maxTokens: 6, endTokens: [], batchRows: 2 };
    const found = await freeBeams(model, PROMPTS, { ...options, stop });
    expect(found.map((texts) => texts.length)).toEqual([0, 3, 0, 3]);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('a prompt that is done is not searched further', async () => {
    const endTokens = [...Array(41).keys()].slice(1); // only token 0 goes on
    let asked = 0;
    const stop = (): boolean => ++asked > 100;
    await freeBeams(model, [[7]], { numBeams: 1, maxTokens: 20, endTokens, stop });
    expect(asked).toBe(1 + plainSearch([7], 1, 20, endTokens)[0]!.tokens.length);
  });
});

test.each([[0], [-1], [1.5], [42], [NaN]])('%d beams are refused', async (numBeams) => {
  await expect(freeBeams(model, PROMPTS, { numBeams })).rejects.toThrow(
    `generate: expected numBeams from 1 to the vocabulary's 41, got ${numBeams}`,
  );
});

test('20 beams unless others are asked for', async () => {
  const [beams] = await freeBeams(model, [[7]], { maxTokens: 1 });
  expect(beams).toHaveLength(20);
});

test('no prompts: nothing', async () => {
  expect(await freeBeams(model, [])).toEqual([]);
});
