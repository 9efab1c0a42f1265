/** Free generation against transformers (golden file: test/golden/make_generate.py). */
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { freeBeams } from '../../lib/decode/free-beams.js';
import type { GenerateOptions } from '../../lib/decode/generate-options.js';
import { generate } from '../../lib/decode/generate.js';
import { useEngine } from '../../lib/engine/engine.js';
import { forwardForest, outputLayer, prepareForest } from '../../lib/lm/decoder.js';
import { chain, packTrees } from '../../lib/lm/forest.js';
import { loadModel } from '../../lib/lm/model.js';
import { type LanguageModel } from '../../lib/lm/language-model.js';

interface Golden {
  prompts: number[][];
  maxTokens: number;
  models: Record<
    string,
    {
      beams: { texts: number[][]; scores: number[] }[];
      greedy: number[][];
      stop: number;
      stopped: number[][];
      nucleus: { options: { temperature: number; topP: number; topK: number }; shares: number[] }[];
    }
  >;
}

const golden = JSON.parse(readFileSync('test/golden/generate.json', 'utf8')) as Golden;
const { prompts, maxTokens } = golden;

beforeAll(async () => void (await useEngine()));

const tokensOf = async (model: LanguageModel, asked: number[][], options: GenerateOptions): Promise<number[][]> =>
  (await generate(model, asked, options)).texts.map(({ tokens }) => tokens);

describe.each(Object.keys(golden.models))('%s', (name) => {
  const { beams, greedy, stop, stopped, nucleus: warped } = golden.models[name]!;
  let model: LanguageModel;
  beforeAll(() => {
    model = loadModel(`test/golden/${name}`);
  });

  test('greedy: the token ids of transformers, prompts of all lengths together', async () => {
    const { texts, tokens } = await generate(model, prompts, { maxTokens });
    texts.forEach(({ tokens, reason }, i) => {
      expect(reason === 'end' ? [...tokens, 0] : tokens).toEqual(greedy[i]);
      expect(reason).toBe(greedy[i]!.length < maxTokens ? 'end' : 'length');
    });
    expect(tokens).toBe(greedy.flat().length);
  });

  test('texts that end leave the batch, the others do not notice', async () => {
    for (const cut of [{}, { batchRows: 2 }, { tokenBudget: 10 }, { tokenBudget: 1 }]) {
      const { texts } = await generate(model, prompts, { maxTokens, endTokens: [stop, 0], ...cut });
      const expected = stopped.map((tokens) => (tokens.at(-1) === stop ? tokens.slice(0, -1) : tokens));
      expect(texts.map(({ tokens }) => tokens)).toEqual(expected.map((tokens) => upToEnd(tokens)));
    }
  });

  test('beams without the trie: the texts and scores of transformers', async () => {
    for (const batchRows of [16, 1]) {
      const found = await freeBeams(model, prompts, { numBeams: 4, maxTokens: 9, endTokens: [stop], batchRows });
      found.forEach((texts, p) => {
        expect(texts.map(({ tokens }) => tokens)).toEqual(beams[p]!.texts);
        texts.forEach(({ score }, b) => expect(score).toBeCloseTo(beams[p]!.scores[b]!, 4));
      });
    }
  });

  test.each(warped)('draws as often as transformers: $options', async ({ options, shares }) => {
    const draws = 1500;
    const asked = Array.from({ length: draws }, () => prompts[0]!);
    const drawn = await tokensOf(model, asked, { ...options, maxTokens: 1, endTokens: [], batchRows: 500 });
    const counts = new Array<number>(shares.length).fill(0);
    for (const [token] of drawn) counts[token!]!++;
    counts.forEach((count, token) => {
      const share = shares[token]!;
      if (share === 0) expect(count, `token ${token} outside the nucleus`).toBe(0);
      else expect(Math.abs(count - draws * share)).toBeLessThan(5 * Math.sqrt(draws * share * (1 - share)) + 1);
    });
  });
});

/** Where end of text ends a text too. */
const upToEnd = (tokens: number[]): number[] => (tokens.includes(0) ? tokens.slice(0, tokens.indexOf(0)) : tokens);

describe('with one model', () => {
  let model: LanguageModel;
  beforeAll(() => {
    model = loadModel('test/golden/qwen3');
  });
  const sampling = { temperature: 1, topP: 0.9, maxTokens: 12, seed: 5 };

  test('a text depends on the seed and its own number, not on the batch', async () => {
    const together = await tokensOf(model, prompts, sampling);
    expect(await tokensOf(model, prompts, { ...sampling, batchRows: 1 })).toEqual(together);
    expect(await tokensOf(model, prompts.slice(0, 2), sampling)).toEqual(together.slice(0, 2));
    expect(await tokensOf(model, prompts, { ...sampling, seed: 6 })).not.toEqual(together);
  });

  test('equal prompts are drawn apart, and greedy texts are equal', async () => {
    const equal = [prompts[0]!, prompts[0]!, prompts[0]!];
    expect(new Set((await tokensOf(model, equal, sampling)).map(String)).size).toBe(3);
    expect(new Set((await tokensOf(model, equal, { maxTokens: 12 })).map(String)).size).toBe(1);
  });

  test('every token is the likeliest after its own text, computed anew', async () => {
    const texts = await tokensOf(model, prompts, { maxTokens: 9, endTokens: [] });
    prompts.forEach((prompt, p) => {
      const text = [...prompt, ...texts[p]!];
      const likeliest = tf.tidy(() => {
        const forest = prepareForest(model.config, packTrees([chain(text)]));
        const hidden = forwardForest(model.config, model.weights, forest);
        return tf.argMax(tf.matMul(hidden, outputLayer(model.config, model.weights), false, true), 1).arraySync();
      }) as number[];
      expect(texts[p]).toEqual(likeliest.slice(prompt.length - 1, -1));
    });
  });

  test('a text ends where the positions end', async () => {
    const prompt = Array.from({ length: model.config.maxPositions - 3 }, (_, i) => i % 40);
    const { texts } = await generate(model, [prompt], { maxTokens: 10, endTokens: [] });
    expect(texts[0]).toMatchObject({ reason: 'length', tokens: { length: 3 } });
    await expect(generate(model, [[...prompt, 1, 2, 3]])).rejects.toThrow('has 64 tokens, the model has 64 positions');
  });

  test('stopped between two steps: what is written stays, the rest is marked', async () => {
    let steps = 0;
    const stop = (): boolean => steps++ >= 4;
    const { texts } = await generate(model, prompts, { maxTokens: 9, endTokens: [], batchRows: 3, stop });
    const all = await tokensOf(model, prompts, { maxTokens: 9, endTokens: [] });
    const open = texts.filter(({ reason }) => reason === 'stopped');
    expect(open).toHaveLength(prompts.length);
    texts.forEach(({ tokens }, i) => expect(all[i]!.slice(0, tokens.length)).toEqual(tokens));
    expect(texts.filter(({ tokens }) => tokens.length > 0)).toHaveLength(3);
  });

  test('one engine state before and after: nothing is leaked', async () => {
    const before = tf.memory().numTensors;
    await generate(model, prompts, { maxTokens: 20, endTokens: [0, 38] });
    await generate(model, prompts, { ...sampling, topK: 5 });
    expect(tf.memory().numTensors).toBe(before);
  });
});
