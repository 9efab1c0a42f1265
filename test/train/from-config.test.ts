/** Training from the shape of a folder without weights; rows of new tokens from the words that tell their items apart. */
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Item } from '../../lib/data/dataset.js';
import { useEngine } from '../../lib/engine/engine.js';
import { endTokensOf } from '../../lib/lm/config.js';
import { modelConfig } from '../../lib/lm/model.js';
import { keywordWeights, titleWeights } from '../../lib/lm/tokenizer/title-weights.js';
import { loadTokenizer, wordTokenizer } from '../../lib/lm/tokenizer/tokenizer.js';
import { checkInitialModel, initialModel } from '../../lib/train/sft/initial-model.js';

beforeAll(async () => void (await useEngine()));

const INDEX = [
  ['<a_0>', '<b_0>'],
  ['<a_0>', '<b_1>'],
  ['<a_1>', '<b_0>'],
];

describe('a folder with config.json alone', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidlab-bare-'));
  copyFileSync('test/golden/qwen2-untied/config.json', join(folder, 'config.json'));

  test('gets a vocabulary of the data and random weights by the seed', () => {
    const { model, tokenizer } = initialModel(folder, INDEX, 5);
    const { width, layers, tied } = modelConfig('test/golden/qwen2-untied');
    expect(model.config).toMatchObject({ width, layers, tied, vocabSize: tokenizer.vocabSize });
    expect(model.config.eosTokenId).toBe(0);
    expect(initialModel(folder, INDEX, 5, { lora: true }).model.lora).toMatchObject({ newTokens: false });
    expect(tokenizer.has('<a_1>')).toBe(true);
    const name = 'model.layers.0.self_attn.q_proj.weight';
    const [same, other] = [5, 6].map((seed) => initialModel(folder, INDEX, seed).model.weights.get(name)!.arraySync());
    expect(model.weights.get(name)!.arraySync()).toEqual(same);
    expect(model.weights.get(name)!.arraySync()).not.toEqual(other);
  });

  test('of several end tokens of the folder none is left: their numbers are words of the new vocabulary', () => {
    const several = mkdtempSync(join(tmpdir(), 'sidlab-bare-'));
    const config = JSON.parse(readFileSync('test/golden/qwen2-untied/config.json', 'utf8')) as object;
    writeFileSync(join(several, 'config.json'), JSON.stringify({ ...config, eos_token_id: [2, 3] }));
    expect(modelConfig(several).eosTokenIds).toEqual([2, 3]);
    expect(endTokensOf(initialModel(several, INDEX, 5).model.config)).toEqual([0]);
  });

  test('a tokenizer in the folder is used, and grows by what it lacks', () => {
    writeFileSync(join(folder, 'tokenizer.json'), wordTokenizer(['word1', 'word2'], []).json);
    const { model, tokenizer, sids } = initialModel(folder, INDEX, 5);
    expect(sids).toEqual({ added: 4, reused: 0 });
    expect(tokenizer.tokenId('word2')).toBe(loadTokenizer(folder).tokenId('word2'));
    expect(model.config.vocabSize).toBeGreaterThanOrEqual(tokenizer.vocabSize);
  });

  test('has no rows to start new ones from', () => {
    for (const init of ['title', 'keywords'] as const) {
      expect(() => checkInitialModel(folder, { init })).toThrow(
        `--init ${init}: expected --model to be a folder with weights`,
      );
    }
  });
});

test('keywords: a share grows with how often a word is in a code and how few codes have it', () => {
  const item = (title: string, description: string): Item => ({ title, description, brand: '', categories: '' });
  const items = [item('w0 w0', 'w1'), item('w0 w2', ''), item('w0 w3', 'w1 w1')];
  const tokenizer = wordTokenizer(['w0', 'w1', 'w2', 'w3'], []);
  const sids = ['<a_0>', '<a_1>', '<b_0>', '<b_1>'];
  const { tokens, weights } = keywordWeights(sids, INDEX, items, tokenizer);
  const at = (s: number, word: string) => weights[s * tokens.length + tokens.indexOf(tokenizer.tokenId(word))]!;
  // <a_0>: items 0 (2/3 w0, 1/3 w1) and 1 (1/2 w0, 1/2 w2); of four codes w0 is in 4, w1 in 3, w2 in 2, w3 in 2
  const shares = { w0: (2 / 3 + 1 / 2) / 2, w1: 1 / 6, w2: 1 / 4 };
  const having = { w0: 4, w1: 3, w2: 2 };
  const scores = Object.entries(shares).map(([w, x]) => [w, x * Math.log(5 / having[w as 'w0'])] as const);
  const total = scores.reduce((sum, [, score]) => sum + score, 0);
  for (const [word, score] of scores) expect(at(0, word)).toBeCloseTo(score / total, 6);
  expect(at(0, 'w3')).toBe(0);
  // more of the word that few have than the plain shares of titles give
  const plain = titleWeights(sids, INDEX, items, tokenizer);
  const plainAt = plain.weights[plain.tokens.indexOf(tokenizer.tokenId('w2'))]!;
  expect(at(0, 'w2')).toBeGreaterThan(plainAt);
  for (let s = 0; s < sids.length; s++) {
    const row = weights.slice(s * tokens.length, (s + 1) * tokens.length);
    expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 6);
  }
});

test('keywords: no more than sixteen, and none of a code whose items have no text', () => {
  const words = Array.from({ length: 40 }, (_, i) => `w${i}`);
  const tokenizer = wordTokenizer(words, []);
  const item = (title: string): Item => ({ title, description: '', brand: '', categories: '' });
  const items = [item(words.slice(0, 30).join(' ')), item(''), item(words.slice(30).join(' '))];
  const { tokens, weights } = keywordWeights(['<a_0>', '<b_1>', '<a_1>'], INDEX, items, tokenizer);
  const kept = [0, 1, 2].map((s) => weights.slice(s * tokens.length, (s + 1) * tokens.length).filter((w) => w > 0));
  expect(kept.map(({ length }) => length)).toEqual([16, 0, 10]);
});
