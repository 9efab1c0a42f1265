import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import type { Item } from '../../lib/data/dataset.js';
import { useEngine } from '../../lib/engine/engine.js';
import { forwardForest, outputLayer, prepareForest } from '../../lib/lm/decoder.js';
import { chain, packTrees } from '../../lib/lm/forest.js';
import { loadModel, saveModel } from '../../lib/lm/model.js';
import { type LanguageModel } from '../../lib/lm/language-model.js';
import { extendVocabulary } from '../../lib/lm/tokenizer/extend-vocabulary.js';
import { loadTokenizer, wordTokenizer } from '../../lib/lm/tokenizer/tokenizer.js';

beforeAll(async () => void (await useEngine()));

/** A tokenizer of 41 words, as many as the golden models have rows (or fewer: the rest is padding). */
const words = (count: number): string[] => Array.from({ length: count - 2 }, (_, i) => `word${i}`);
const INDEX = [
  ['<a_2>', '<b_10>'],
  ['<a_2>', '<b_9>'],
];

function logits({ config, weights }: LanguageModel, tokens: number[]): number[][] {
  return tf.tidy(() => {
    const hidden = forwardForest(config, weights, prepareForest(config, packTrees([chain(tokens)])));
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

test('an index whose tokens are there: stated, and no row is touched', () => {
  const once = extendVocabulary(loadModel('test/golden/qwen3'), wordTokenizer(words(41), []), INDEX);
  expect(once.reused).toEqual([]);
  const table = once.model.weights.get('model.embed_tokens.weight')!;
  const again = extendVocabulary(once.model, once.tokenizer, INDEX);
  expect(again.reused).toEqual(['<a_2>', '<b_9>', '<b_10>']);
  expect(again.model.weights.get('model.embed_tokens.weight')).toBe(table);
});

test('all codes join, level by level, up to the largest of any', () => {
  const model = loadModel('test/golden/qwen2-tied');
  const { added, tokenizer } = extendVocabulary(model, wordTokenizer(words(35), []), INDEX, 1, { sids: 'all' });
  expect(added).toHaveLength(2 * 11);
  expect(added[3]).toBe('<a_3>');
  expect(tokenizer.tokenId('<b_0>')).toBe(35 + 11);
});

test('rows from titles: the mean over the items of a code of the mean over their words', () => {
  const model = loadModel('test/golden/qwen2-untied');
  const item = (title: string): Item => ({ title, description: '', brand: '', categories: '' });
  const items = [item('word3 word5'), item('word3')];
  const table = (name: string): number[][] => model.weights.get(name)!.arraySync() as number[][];
  const [old, oldOut] = [table('model.embed_tokens.weight'), table('lm_head.weight')];
  const extended = extendVocabulary(model, wordTokenizer(words(41), []), INDEX, 1, {
    sids: 'all',
    init: 'title',
    items,
  });
  const [now, nowOut] = [table('model.embed_tokens.weight'), table('lm_head.weight')];
  const at = (token: string): number => extended.tokenizer.tokenId(token);
  const [three, five] = [at('word3'), at('word5')];
  old[0]!.forEach((_, d) => {
    expect(now[at('<b_10>')]![d]).toBeCloseTo((old[three]![d]! + old[five]![d]!) / 2, 3);
    expect(now[at('<b_9>')]![d]).toBeCloseTo(old[three]![d]!, 3);
    expect(now[at('<a_2>')]![d]).toBeCloseTo(0.75 * old[three]![d]! + 0.25 * old[five]![d]!, 3);
    expect(nowOut[at('<b_9>')]![d]).toBeCloseTo(oldOut[three]![d]!, 3);
    const mean = old.reduce((sum, row) => sum + row[d]!, 0) / old.length;
    expect(now[at('<a_0>')]![d]).toBeCloseTo(mean, 3); // a code without items
  });
  expect(() => extendVocabulary(model, wordTokenizer(words(41), []), INDEX, 1, { init: 'title' })).toThrow(
    '--init title: expected 2 items with titles, got 0',
  );
});
