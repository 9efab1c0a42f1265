/** What generates together, what leaves it, and how fast it was. */
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { ChainCache } from '../../lib/decode/generate-cache.js';
import type { GenerateOptions } from '../../lib/decode/generate-options.js';
import { generate } from '../../lib/decode/generate.js';
import { useEngine } from '../../lib/engine/engine.js';
import type { LanguageModel } from '../../lib/lm/language-model.js';
import { loadModel } from '../../lib/lm/model.js';

const PROMPTS = [[3, 4, 5], [7], [30, 31, 32, 33]];

let model: LanguageModel;
beforeAll(async () => {
  await useEngine();
  model = loadModel('test/golden/qwen3');
});
afterEach(() => void vi.restoreAllMocks());

const tokensOf = async (model: LanguageModel, asked: number[][], options: GenerateOptions): Promise<number[][]> =>
  (await generate(model, asked, options)).texts.map(({ tokens }) => tokens);

describe('batches', () => {
  /** Which prompts have texts if generation is stopped before its batch number `batches`. */
  async function written(lengths: number[], batches: number, options: GenerateOptions): Promise<number[]> {
    let asked = 0;
    const stop = (): boolean => asked++ >= batches; // with one token a text, it is asked before every batch alone
    const asking = lengths.map((length, i) => [...new Array<number>(length - 1).fill(1), 2 + (i % 38)]);
    const { texts, tokens } = await generate(model, asking, { maxTokens: 1, endTokens: [], stop, ...options });
    const found = [...lengths.keys()].filter((i) => texts[i]!.reason !== 'stopped');
    expect(tokens).toBe(found.length);
    return found;
  }

  test.each<[GenerateOptions, number[][]]>([
    [{}, [[0, 1, 2, 3, 4, 5]]],
    [{ batchRows: 6 }, [[0, 1, 2, 3, 4, 5]]],
    [
      { batchRows: 4 },
      [
        [1, 2, 3, 5],
        [0, 4],
      ],
    ],
    [{ batchRows: 1 }, [[5], [1], [3], [2], [0], [4]]],
    [{ tokenBudget: 5 }, [[1, 3, 5], [2], [0], [4]]],
    [{ tokenBudget: 4 }, [[1, 5], [3], [2], [0], [4]]],
    [{ tokenBudget: 8 }, [[1, 2, 3, 5], [0], [4]]],
    [{ tokenBudget: 8, batchRows: 3 }, [[1, 3, 5], [0, 2], [4]]],
    [{ tokenBudget: 1 }, [[5], [1], [3], [2], [0], [4]]],
  ])('%j: like lengths together, a long prompt alone', async (options, expected) => {
    for (let batches = 0; batches <= expected.length; batches++) {
      const sofar = expected.slice(0, batches).flat();
      expect(await written([4, 2, 3, 2, 6, 1], batches, options)).toEqual(sofar.sort((a, b) => a - b));
    }
  });

  test('64 prompts unless other batches are asked for', async () => {
    expect(
      await written(
        new Array<number>(66).fill(1).map((_, i) => 1 + (i % 2)),
        1,
        {},
      ),
    ).toHaveLength(64);
  });

  test('texts that have ended leave when they are half of the batch', async () => {
    const keep = vi.spyOn(ChainCache.prototype, 'keep');
    const long = Array.from({ length: 61 }, (_, i) => i % 40);
    // room for 3, 3 and 10 tokens, and for 3, 10, 10 and 10
    await tokensOf(model, [long, long, [1]], { maxTokens: 10, endTokens: [] });
    expect(keep.mock.calls).toEqual([[[0]]]); // by length: the shortest prompt is row 0
    keep.mockClear();
    await tokensOf(model, [long, [1], [1, 2], [3]], { maxTokens: 10, endTokens: [] });
    expect(keep).not.toHaveBeenCalled();
    await tokensOf(model, [long, [1], [1, 2], long], { maxTokens: 10, endTokens: [] });
    expect(keep.mock.calls).toEqual([[[0, 1]]]);
  });
});

test('tokens by seconds, ends included, by a clock of our own', async () => {
  let now = 5000;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const stop = (): boolean => {
    now += 125; // before the batch, and after each step but the last
    return false;
  };
  const asked = { maxTokens: 3, endTokens: [], stop };
  const { tokens, seconds, tokensPerSecond } = await generate(model, [[1], [2, 3]], asked);
  expect({ tokens, seconds, tokensPerSecond }).toEqual({ tokens: 6, seconds: 0.375, tokensPerSecond: 16 });
  const nothing = await generate(model, [], asked);
  expect(nothing).toEqual({ texts: [], tokens: 0, seconds: 0, tokensPerSecond: 0 });
});

test('one token to choose from is greedy; all of them are as many as none are asked for', async () => {
  const greedy = await tokensOf(model, PROMPTS, { maxTokens: 6 });
  expect(await tokensOf(model, PROMPTS, { temperature: 2, topK: 1, maxTokens: 6, seed: 3 })).toEqual(greedy);
  const all = await tokensOf(model, PROMPTS, { temperature: 2, maxTokens: 6, seed: 3 });
  expect(all).not.toEqual(greedy);
  for (const topK of [model.config.vocabSize, model.config.vocabSize + 1]) {
    expect(await tokensOf(model, PROMPTS, { temperature: 2, topK, maxTokens: 6, seed: 3 })).toEqual(all);
  }
});
