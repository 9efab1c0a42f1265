import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/index.js';
import {
  chain,
  extendVocabulary,
  forwardForest,
  loadModel,
  loadTokenizer,
  outputLayer,
  plant,
  prepareForest,
  saveModel,
  wordTokenizer,
} from '../../lib/lm/index.js';
import type { LanguageModel } from '../../lib/lm/index.js';

beforeAll(async () => void (await useEngine()));

/** A tokenizer of 41 words, as many as the golden models have rows (or fewer: the rest is padding). */
const words = (count: number): string[] => Array.from({ length: count - 2 }, (_, i) => `word${i}`);
const INDEX = [
  ['<a_2>', '<b_10>'],
  ['<a_2>', '<b_9>'],
];

function logits({ config, weights }: LanguageModel, tokens: number[]): number[][] {
  return tf.tidy(() => {
    const hidden = forwardForest(config, weights, prepareForest(config, plant([chain(tokens)])));
    return tf.matMul(hidden, outputLayer(config, weights), false, true).arraySync() as number[][];
  });
}

test.each([
  ['qwen2-tied', 41, 44],
  ['qwen2-untied', 41, 44],
  ['qwen2-tied', 35, 41],
])('%s with a tokenizer of %d: the table has %d rows, old logits stand', (name, size, rows) => {
  const model = loadModel(`test/golden/${name}`);
  const before = logits(model, [3, 17, 29]);
  const extended = extendVocabulary(model, wordTokenizer(words(size), []), INDEX);
  expect(extended.added).toEqual(['<a_2>', '<b_9>', '<b_10>']);
  expect(extended.model.config.vocabSize).toBe(rows);
  expect(extended.added.map((token) => extended.tokenizer.tokenId(token))).toEqual([size, size + 1, size + 2]);
  expect(extended.tokenizer.encode('word3<a_2><b_10>')).toEqual([5, size, size + 2]);
  logits(extended.model, [3, 17, 29]).forEach((row, i) =>
    before[i]!.slice(0, size).forEach((x, v) => expect(row[v]).toBeCloseTo(x, 4)),
  );
  const table = extended.model.weights.get('model.embed_tokens.weight')!.arraySync() as number[][];
  const mean = table[0]!.map((_, d) => table.slice(0, size).reduce((sum, row) => sum + row[d]!, 0) / size);
  table[size]!.forEach((x, d) => expect(x).toBeCloseTo(mean[d]!, 3));
  expect(table[size]).not.toEqual(table[size + 1]);
});

test('saved and loaded, nothing is left to add', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidlab-extend-'));
  const extended = extendVocabulary(loadModel('test/golden/qwen3'), wordTokenizer(words(41), []), INDEX);
  saveModel(folder, extended.model, { json: extended.tokenizer.json });
  const again = extendVocabulary(loadModel(folder), loadTokenizer(folder), INDEX);
  expect(again.added).toEqual([]);
  expect(logits(again.model, [3, 41, 43])).toEqual(logits(extended.model, [3, 41, 43]));
});
