/** Scores that are not finite: every search and generation stops, and names the prompt and the weight. */
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { beamSearch } from '../../lib/decode/beam-search.js';
import { checkFinite, namingRows, NonFiniteScores, nonFiniteWeight } from '../../lib/decode/finite-scores.js';
import { ForestCache } from '../../lib/decode/forest-cache.js';
import { freeBeams } from '../../lib/decode/free-beams.js';
import { generate } from '../../lib/decode/generate.js';
import { buildTrie } from '../../lib/decode/item-trie.js';
import { hasFused } from '../../lib/ops/fused.js';
import { useEngine } from '../../lib/engine/engine.js';
import { registerNativeOps, unregisterNativeOps } from '../../lib/engine/native-ops.js';
import type { LanguageModel } from '../../lib/lm/language-model.js';
import { loadModel } from '../../lib/lm/model.js';
import { InputError } from '../../lib/support/errors.js';

const FOLDER = 'test/golden/llama'; // its output layer is a weight of its own
const PROMPTS = [[30, 35], [31, 34, 37], [32]];
const SAMPLING = [{}, { temperature: 1 }, { temperature: 1, topK: 5 }, { temperature: 1, topP: 0.5 }];
const trie = buildTrie([
  [1, 2],
  [1, 3],
  [4, 2],
]);

let model: LanguageModel;
const engine = await useEngine();
const faces = hasFused('SidlabForestAttention') ? ['fused', 'plain'] : ['plain'];
const inFace = (face: string): void => void (face === 'plain' && engine === 'tensorflow' && unregisterNativeOps());
afterEach(() => void (engine === 'tensorflow' && registerNativeOps()));
beforeAll(() => {
  model = loadModel(FOLDER);
});

function spoilt(name: string, at: number, value: number): LanguageModel {
  const model = loadModel(FOLDER);
  const weight = model.weights.get(name)!;
  const data = weight.dataSync<'float32'>().slice();
  data[at] = value;
  tf.tidy(() => weight.assign(tf.tensor(data, weight.shape)));
  return model;
}

describe('one bad number in the weights', () => {
  test.each([
    ['model.norm.weight', 5, NaN],
    ['model.layers.0.mlp.up_proj.weight', 40, NaN],
    ['lm_head.weight', 2 * 16 + 3, Infinity],
    ['model.layers.0.self_attn.q_proj.weight', 0, -Infinity],
  ])('%s [%d] = %d', async (name, at, value) => {
    const model = spoilt(name, at, value);
    expect(nonFiniteWeight(model)).toBe(name);
    for (const normalize of ['full', 'legal'] as const) {
      expect(() => beamSearch(model, trie, PROMPTS, { numBeams: 3, normalize })).toThrow(NonFiniteScores);
    }
    await expect(freeBeams(model, PROMPTS, { numBeams: 3, maxTokens: 3 })).rejects.toThrow(NonFiniteScores);
    for (const options of SAMPLING) {
      await expect(generate(model, PROMPTS, { maxTokens: 3, ...options })).rejects.toThrow(NonFiniteScores);
    }
  });

  test.each(faces)('the prompt that holds the bad token is named, whatever its batch: %s', async (face) => {
    inFace(face);
    for (const [p, prompt] of PROMPTS.entries()) {
      const model = spoilt('model.embed_tokens.weight', prompt[0]! * 16, NaN);
      const reason = `prompt ${p + 1}: the scores are not finite, because the weights are not (model.embed_tokens.weight)`;
      for (const normalize of ['full', 'legal'] as const) {
        expect(() => beamSearch(model, trie, PROMPTS, { numBeams: 3, normalize })).toThrow(`beamSearch: ${reason}`);
      }
      for (const batchRows of [1, 2, 3]) {
        const options = { maxTokens: 3, batchRows, endTokens: [] };
        await expect(freeBeams(model, PROMPTS, { ...options, numBeams: 3 })).rejects.toThrow(`generate: ${reason}`);
        await expect(generate(model, PROMPTS, options)).rejects.toThrow(`generate: ${reason}`);
      }
    }
  });

  test.each(faces)('one that begins another, which holds a bad token later on, has its results: %s', async (face) => {
    inFace(face);
    const [first, second] = [[30], [30, 35, 36]];
    const bad = spoilt('model.embed_tokens.weight', 36 * 16, NaN);
    const reason = 'prompt 2: the scores are not finite';
    for (const normalize of ['full', 'legal'] as const) {
      const options = { numBeams: 3, normalize };
      expect(() => beamSearch(bad, trie, [first, second], options)).toThrow(reason);
      expect(beamSearch(bad, trie, [first], options)).toEqual(beamSearch(model, trie, [first], options));
    }
    for (const prompts of [[second, first].reverse(), [first, second, first]]) {
      await expect(generate(bad, prompts, { maxTokens: 1 })).rejects.toThrow(reason);
      await expect(freeBeams(bad, prompts, { maxTokens: 1, numBeams: 2 })).rejects.toThrow(reason);
    }
  });

  test.each(faces)('a bad token that a text comes upon: its prompt is named (%s)', async (face) => {
    inFace(face);
    const prompts = [
      [30, 35],
      [31, 34],
      [32, 33],
    ];
    const { texts } = await generate(model, prompts, { maxTokens: 1, endTokens: [] });
    const firsts = texts.map(({ tokens }) => tokens[0]!);
    expect(new Set([...firsts, ...prompts.flat()]).size).toBe(9); // else the token would not tell them apart
    for (const [p, token] of firsts.entries()) {
      const model = spoilt('model.embed_tokens.weight', token * 16, NaN);
      const options = { maxTokens: 2, endTokens: [] };
      await expect(freeBeams(model, prompts, { ...options, numBeams: 1 })).rejects.toThrow(`generate: prompt ${p + 1}`);
      await expect(generate(model, prompts, options)).rejects.toThrow(`generate: prompt ${p + 1}`);
    }
  });

  test.each(faces)('one that a beam comes upon: the prompt is named, however many beams it has (%s)', async (face) => {
    inFace(face);
    const prompts = [
      [30, 35],
      [31, 34],
      [32, 33],
    ];
    const first = await freeBeams(model, prompts, { numBeams: 2, maxTokens: 1, endTokens: [] });
    const met = first.map((beams) => beams.map(({ tokens }) => tokens[0]!));
    const own = met.map((tokens, p) =>
      tokens.find((token) => ![...prompts, ...met.filter((_, other) => other !== p)].flat().includes(token)),
    );
    expect(own.slice(1).some((token) => token !== undefined)).toBe(true); // else the test could not fail
    for (const [p, token] of own.entries()) {
      if (token === undefined) continue;
      const model = spoilt('model.embed_tokens.weight', token * 16, NaN);
      const search = freeBeams(model, prompts, { numBeams: 2, maxTokens: 2, endTokens: [] });
      await expect(search).rejects.toThrow(`generate: prompt ${p + 1}: `);
    }
  });

  test.each(faces)('a node that holds one leaves the nodes of other prompts as they are: %s', (face) => {
    inFace(face);
    const states = (model: LanguageModel): number[] => {
      const cache = new ForestCache(model, [
        [30, 35],
        [31, 34],
      ]);
      const [first, second] = [...cache.ends];
      const grown = cache.grow(Int32Array.of(36, 37, 38), [first!, first!, second!]);
      const state = [...tf.tidy(() => tf.slice(grown, 2, 1)).dataSync()];
      cache.dispose();
      return state;
    };
    expect(states(spoilt('model.embed_tokens.weight', 36 * 16, NaN))).toEqual(states(model));
  });

  test('weights that are finite and overflow', () => {
    const model = spoilt('model.norm.weight', 0, 3e38);
    expect(nonFiniteWeight(model)).toBeUndefined();
    expect(() => beamSearch(model, trie, PROMPTS, { numBeams: 3 })).toThrow(
      'although all weights are: the model overflows',
    );
  });
});

describe('of all scores', () => {
  const bad = (at: number, value: number): Float32Array => new Float32Array(6).fill(value, at, at + 1);

  test.each([
    [0, NaN, 10],
    [1, Infinity, 10],
    [2, -Infinity, 20],
    [3, NaN, 20],
    [4, NaN, 30],
    [5, NaN, 30],
  ])('number %i of three rows of two, %d: the prompt %i of its row', (at, value, prompt) => {
    const check = (): void => checkFinite('here', model, bad(at, value), (place) => [10, 20, 30][place >> 1]!);
    expect(check).toThrow(InputError);
    expect(check).toThrow(`here: prompt ${prompt + 1}: the scores are not finite although all weights are`);
  });

  test('finite ones are let pass', () => {
    expect(() => checkFinite('here', model, new Float32Array(6).fill(3e38), Number)).not.toThrow();
  });
});

describe('rows in place of prompts', () => {
  const rowOf = (prompt: number): string => `row ${prompt * 10}`;
  const fails = (error: Error) => (): never => {
    throw error;
  };

  test('results pass, at once or later', async () => {
    expect(namingRows(rowOf, () => 5)).toBe(5);
    expect(await namingRows(rowOf, () => Promise.resolve(6))).toBe(6);
  });

  test('the error is renamed, at once or later', async () => {
    const error = new NonFiniteScores('generate: prompt 3', 2, 'why');
    const renamed = expect.objectContaining({ name: 'NonFiniteScores', message: 'row 20: why', prompt: 2 }) as Error;
    expect(() => namingRows(rowOf, fails(error))).toThrow(renamed);
    await expect(namingRows(rowOf, () => Promise.reject(error))).rejects.toThrow(renamed);
  });

  test('other errors stay what they are', async () => {
    const error = new Error('another');
    expect(() => namingRows(rowOf, fails(error))).toThrow(error);
    await expect(namingRows(rowOf, () => Promise.reject(error))).rejects.toBe(error);
  });
});
