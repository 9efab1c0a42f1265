/** Options of free generation: defaults, bounds, and the room that a prompt leaves. */
import { describe, expect, test } from 'vitest';
import { checkRoom, type GenerateOptions, parseGenerateOptions } from '../../lib/decode/generate-options.js';
import type { LanguageModel } from '../../lib/lm/language-model.js';
import { parseConfig } from '../../lib/lm/config.js';
import { InputError } from '../../lib/support/errors.js';
import { readFileSync } from 'node:fs';

const folder = 'test/golden/qwen3';
const model: LanguageModel = {
  config: parseConfig(JSON.parse(readFileSync(`${folder}/config.json`, 'utf8')), folder),
  weights: new Map(),
};

test('defaults: greedy', () => {
  const { stop, ...settings } = parseGenerateOptions(model, {});
  expect(settings).toEqual({
    ...{ maxTokens: 128, temperature: 0, topP: 1, topK: 0, seed: 42, endTokens: [0] },
    ...{ batchRows: 64, tokenBudget: 16384, label: 'generate', share: { rank: 0, size: 1 } },
  });
  expect(stop()).toBe(false);
});

const SAMPLING = { temperature: 1 };

test.each<GenerateOptions>([
  { maxTokens: 1 },
  { temperature: 0.001 },
  { temperature: 1e6 },
  { ...SAMPLING, topP: 1 },
  { ...SAMPLING, topP: 1e-9 },
  { ...SAMPLING, topK: 1 },
  { ...SAMPLING, topK: 1e9 },
  { batchRows: 1 },
  { tokenBudget: 1 },
  { temperature: 0, topP: 1, topK: 0 },
  { seed: 0, endTokens: [], label: 'x', stop: () => true },
])('%j is taken as it is', (options) => {
  expect(parseGenerateOptions(model, options)).toMatchObject(options);
});

const POSITIVE = 'a positive integer';

test.each<[keyof GenerateOptions, number[], string, GenerateOptions]>([
  ['maxTokens', [0, -1, 1.5, NaN, Infinity], POSITIVE, {}],
  ['temperature', [-0.1, NaN, Infinity], '0 (greedy) or more', {}],
  ['topP', [0, -0.5, 1.001, NaN], 'above 0 and at most 1', SAMPLING],
  ['topK', [-1, 1.5, NaN], 'a whole number', SAMPLING],
  ['batchRows', [0, 1.5, NaN], POSITIVE, {}],
  ['tokenBudget', [0, 1.5, NaN], POSITIVE, {}],
])('%s of %j is refused', (name, values, what, beside) => {
  for (const value of values) {
    const parse = (): unknown => parseGenerateOptions(model, { ...beside, [name]: value });
    expect(parse).toThrow(InputError);
    expect(parse).toThrow(`generate: expected ${name} to be ${what}, got ${value}`);
  }
});

test.each([{ topP: 0.9 }, { topK: 1 }, { topP: 0.5, topK: 3 }])('%j without a temperature is refused', (options) => {
  expect(() => parseGenerateOptions(model, options)).toThrow('expected a temperature above 0 beside topP or topK');
});

describe('room after a prompt, of 64 positions', () => {
  const prompt = (length: number): number[] => new Array<number>(length).fill(1);

  test.each([
    [1, 128, 63],
    [1, 63, 63],
    [1, 5, 5],
    [60, 128, 4],
    [62, 128, 2],
    [63, 128, 1],
  ])('%i tokens, %i wanted: %i', (length, maxTokens, room) => {
    expect(checkRoom(model, prompt(length), 0, maxTokens)).toBe(room);
  });

  test.each([
    [0, 'generate: expected prompt 4 to have tokens, got none'],
    [64, 'generate: prompt 4 has 64 tokens, the model has 64 positions; shorten it'],
    [65, 'generate: prompt 4 has 65 tokens'],
  ])('%i tokens are refused', (length, message) => {
    expect(() => checkRoom(model, prompt(length), 3, 1)).toThrow(message);
  });
});
