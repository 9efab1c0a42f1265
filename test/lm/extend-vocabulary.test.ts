import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Item } from '../../lib/data/dataset.js';
import { useEngine } from '../../lib/engine/engine.js';
import { createRecommender, modelRenderer } from '../../lib/evaluate/recommender.js';
import { forwardForest, outputLayer, prepareForest } from '../../lib/lm/decoder.js';
import { chain, packTrees } from '../../lib/lm/forest.js';
import { loadModel, saveModel } from '../../lib/lm/model.js';
import { type LanguageModel } from '../../lib/lm/language-model.js';
import { extendVocabulary } from '../../lib/lm/tokenizer/extend-vocabulary.js';
import { loadTokenizer, wordTokenizer } from '../../lib/lm/tokenizer/tokenizer.js';
import { Random } from '../../lib/support/random.js';
import { TEMPLATES } from '../../lib/tasks/templates.js';

beforeAll(async () => void (await useEngine()));

/** A tokenizer of 41 words, as many as the golden models have rows (or fewer: the rest is padding). */
const words = (count: number): string[] => Array.from({ length: count - 2 }, (_, i) => `word${i}`);
const INDEX = [
  ['<a_2>', '<b_10>'],
  ['<a_2>', '<b_9>'],
];

/** Hardly any noise, where a test is about what rows start from. */
const QUIET = { noise: 1e-5 };

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
  const extended = extendVocabulary(model, wordTokenizer(words(size), []), INDEX, 42, QUIET);
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
    ...QUIET,
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

test('the seed is 42 unless another is given; an unknown init is refused', () => {
  const rows = (...seed: number[]): unknown => {
    const { model } = extendVocabulary(loadModel('test/golden/qwen3'), wordTokenizer(words(41), []), INDEX, ...seed);
    return model.weights.get('model.embed_tokens.weight')!.arraySync();
  };
  expect(rows()).toEqual(rows(42));
  expect(rows()).not.toEqual(rows(43));
  const odd = { init: 'zeros' as 'mean' };
  expect(() => extendVocabulary(loadModel('test/golden/qwen3'), wordTokenizer(words(41), []), INDEX, 1, odd)).toThrow(
    '--init: expected mean or title or keywords, got zeros',
  );
});

test('one token more, titles or not: one row more', () => {
  const item: Item = { title: 'word3', description: '', brand: '', categories: '' };
  for (const init of ['mean', 'title'] as const) {
    const model = loadModel('test/golden/qwen3');
    const old = model.weights.get('model.embed_tokens.weight')!.arraySync() as number[][];
    const tokenizer = wordTokenizer(words(41), []);
    const extended = extendVocabulary(model, tokenizer, [['<a_0>']], 1, { init, items: [item], ...QUIET });
    const rows = extended.model.weights.get('model.embed_tokens.weight')!.arraySync() as number[][];
    expect(extended.added).toEqual(['<a_0>']);
    expect(rows).toHaveLength(42);
    const mean = old[0]!.map((_, d) => old.reduce((sum, row) => sum + row[d]!, 0) / 41);
    const centre = init === 'title' ? old[tokenizer.tokenId('word3')]! : mean;
    rows[41]!.forEach((x, d) => expect(x).toBeCloseTo(centre[d]!, 3));
  }
});

test.each([
  [undefined, 1],
  [1, 1],
  [0.3, 0.3],
  [1e-4, 1e-4],
])(
  'noise %s: new rows lie about the mean, %d of the deviation of the old ones away in each dimension',
  (noise, factor) => {
    const random = new Random('spread');
    const deviations = [100, 1, 0.01, 3];
    const config = { ...loadModel('test/golden/qwen2-tied').config, width: 4, vocabSize: 41 };
    const rows = Array.from({ length: 41 }, () => deviations.map((deviation) => deviation * random.normal()));
    const mean = deviations.map((_, d) => rows.reduce((sum, row) => sum + row[d]!, 0) / 41);
    const centred = rows.map((row) => row.map((x, d) => x - mean[d]!)); // so that float32 holds what is added
    const spread = deviations.map((_, d) => Math.sqrt(centred.reduce((sum, row) => sum + row[d]! ** 2, 0) / 41));
    const table = tf.variable(tf.tensor2d(centred));
    const model = { config, weights: new Map([['model.embed_tokens.weight', table]]) };
    const index = Array.from({ length: 2000 }, (_, item) => [`<a_${item}>`]);
    const extended = extendVocabulary(
      model,
      wordTokenizer(words(41), []),
      index,
      42,
      noise === undefined ? {} : { noise },
    );
    const grown = extended.model.weights.get('model.embed_tokens.weight')!.arraySync() as number[][];
    expect(grown).toHaveLength(2041);
    const fresh = grown.slice(41);
    deviations.forEach((_, d) => {
      const own = Math.sqrt(fresh.reduce((sum, row) => sum + row[d]! ** 2, 0) / fresh.length);
      expect(own / (factor * spread[d]!)).toBeGreaterThan(0.9);
      expect(own / (factor * spread[d]!)).toBeLessThan(1.1);
    });
  },
);

test('tokens of the tokenizer without a row lie close to the mean, whatever the noise of SIDs', () => {
  const model = loadModel('test/golden/qwen2-tied');
  const old = model.weights.get('model.embed_tokens.weight')!.arraySync() as number[][];
  const { model: extended } = extendVocabulary(model, wordTokenizer(words(44), []), INDEX);
  const rows = extended.weights.get('model.embed_tokens.weight')!.arraySync() as number[][];
  const far = (row: number): number =>
    Math.hypot(...rows[row]!.map((x, d) => x - old.reduce((sum, of) => sum + of[d]!, 0) / 41));
  for (const row of [41, 42, 43]) expect(far(row)).toBeLessThan(1e-3);
  for (const row of [44, 45, 46]) expect(far(row)).toBeGreaterThan(1e-2);
});

describe.each(['qwen2-tied', 'qwen2-untied'])('%s with 41 rows: every token has a row of its own', (name) => {
  const tables = (model: LanguageModel): number[][][] =>
    (model.config.tied ? ['model.embed_tokens.weight'] : ['model.embed_tokens.weight', 'lm_head.weight']).map(
      (table) => model.weights.get(table)!.arraySync() as number[][],
    );
  /** Distinct rows, the old ones as they were. */
  const check = (before: number[][][], after: number[][][], kept: number, rows: number): void => {
    after.forEach((table, t) => {
      expect(table).toHaveLength(rows);
      expect(table.slice(0, kept)).toEqual(before[t]!.slice(0, kept));
      expect(new Set(table.map((row) => row.join())).size).toBe(rows);
      const mean = table[0]!.map((_, d) => before[t]!.slice(0, kept).reduce((sum, row) => sum + row[d]!, 0) / kept);
      table
        .slice(kept, Math.min(rows, kept + 3))
        .forEach((row) => row.forEach((x, d) => expect(x).toBeCloseTo(mean[d]!, 3)));
    });
  };

  test.each([
    ['a tokenizer of fewer tokens', 38, 38, 41, 0],
    ['as many', 41, 41, 44, 0],
    ['two tokens that the table lacks', 43, 41, 46, 2],
    ['six', 47, 41, 50, 6],
  ])('%s', (_, size, kept, rows, missing) => {
    const model = loadModel(`test/golden/${name}`);
    const before = tables(model);
    const extended = extendVocabulary(model, wordTokenizer(words(size), []), INDEX, 42, QUIET);
    expect(extended.missingRows).toBe(missing);
    expect(extended.model.config.vocabSize).toBe(rows);
    check(before, tables(extended.model), kept, rows);
    const [first] = tables(extended.model);
    for (const token of extended.added) expect(first![extended.tokenizer.tokenId(token)]).toBeDefined();
  });

  test('nothing to add, but the table lacks rows of the tokenizer', () => {
    const model = loadModel(`test/golden/${name}`);
    const before = tables(model);
    const whole = wordTokenizer(words(44), INDEX); // 47 tokens
    const extended = extendVocabulary(model, whole, INDEX);
    expect(extended).toMatchObject({ added: [], missingRows: 6 });
    check(before, tables(extended.model), 41, 47);
  });

  test('titles that hold tokens without a row', () => {
    const model = loadModel(`test/golden/${name}`);
    const item = (title: string): Item => ({ title, description: '', brand: '', categories: '' });
    const items = [item('word44 word44'), item('word3')]; // word44 is token 46
    const extended = extendVocabulary(model, wordTokenizer(words(47), []), INDEX, 1, {
      init: 'title',
      items,
      ...QUIET,
    });
    const [table] = tables(extended.model);
    const at = (token: string): number[] => table![extended.tokenizer.tokenId(token)]!;
    at('<b_10>').forEach((x, d) => expect(x).toBeCloseTo(at('word44')[d]!, 3));
    at('<b_9>').forEach((x, d) => expect(x).toBeCloseTo(at('word3')[d]!, 3));
  });

  test('an id beyond the table is an error before anything is read or trained', () => {
    const model = loadModel(`test/golden/${name}`);
    const larger = wordTokenizer(words(41), INDEX); // 44 tokens
    const error = "tokenizer: expected ids below 41, the rows of the model's embedding table, got 43";
    expect(() => createRecommender(model, larger, INDEX, 'sids')).toThrow(error);
    expect(() => modelRenderer(model, larger, INDEX, TEMPLATES.sids!)).toThrow(error);
    const smaller = wordTokenizer(words(38), INDEX); // 41 tokens
    expect(() => createRecommender(model, smaller, INDEX, 'sids')).not.toThrow();
  });
});
