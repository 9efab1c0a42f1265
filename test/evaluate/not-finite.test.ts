/** A model with a NaN, the same model whole, and a quantized one: what evaluation, generation and rollouts say of them. */
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadDataset } from '../../lib/data/load.js';
import { readIndex, type SidIndex } from '../../lib/data/sid-index.js';
import type { Dataset } from '../../lib/data/dataset.js';
import { beamSearch } from '../../lib/decode/beam-search.js';
import { NonFiniteScores, nonFiniteWeight } from '../../lib/decode/finite-scores.js';
import { freeBeams } from '../../lib/decode/free-beams.js';
import { generate } from '../../lib/decode/generate.js';
import { useEngine } from '../../lib/engine/engine.js';
import { evaluateStage } from '../../lib/evaluate/evaluate-stage.js';
import { rankRows } from '../../lib/evaluate/evaluate.js';
import { loadRecommender, type Recommender } from '../../lib/evaluate/recommender.js';
import { generateStage } from '../../lib/evaluate/text/generate-stage.js';
import { loadModel } from '../../lib/lm/model.js';
import { type LanguageModel } from '../../lib/lm/language-model.js';
import { grpo } from '../../lib/train/grpo/grpo.js';
import { InputError } from '../../lib/support/errors.js';

const CASES = 'test/cases';
const INDEX = `${CASES}/shop/shop.index.json`;
const folder = mkdtempSync(join(tmpdir(), 'sidlab-finite-'));
const stage = { data: `${CASES}/shop`, index: INDEX, template: 'sids', numBeams: 10, results: join(folder, 'r.jsonl') };

let dataset: Dataset;
let index: SidIndex;
beforeAll(async () => {
  await useEngine();
  dataset = await loadDataset(`${CASES}/shop`);
  index = readIndex(INDEX, dataset.items.length);
});

test('the whole model ranks every row, and says nothing of lists longer than its beams', async () => {
  const report = await evaluateStage({ ...stage, model: `${CASES}/m_plain` });
  expect(report).toMatchObject({ rows: 28, beams: 10, invalid: 0, duplicates: 0 });
  expect(Object.keys(report.item)).toEqual([1, 3, 5, 10].flatMap((k) => [`HR@${k}`, `NDCG@${k}`]));
  expect(Object.keys(report.sid)).toEqual(Object.keys(report.item));
});

test('a NaN in a weight: evaluation names the row and the weight, and writes nothing', async () => {
  const model = `${CASES}/m_nan`;
  await expect(evaluateStage({ ...stage, model, results: join(folder, 'none.jsonl') })).rejects.toThrow(
    /^evaluate: row \d+ of 28 \(user "U\d+"\): the scores are not finite, because the weights are not \(model\.norm\.weight\); /,
  );
  await expect(
    generateStage({ data: stage.data, index: stage.index, model, task: 'sids', results: join(folder, 'none.jsonl') }),
  ).rejects.toThrow(/^generate: prompt \d+: the scores are not finite, because the weights are not/);
});

test('reinforcement learning stops at its first ranking, and keeps no model', async () => {
  const run = join(folder, 'run');
  const rl = { data: stage.data, index: INDEX, model: `${CASES}/m_nan`, run, template: 'sids', numGenerations: 2 };
  await expect(grpo({ ...rl, sampleSize: 4, batchSize: 2, epochs: 1 })).rejects.toThrow(
    /^validate: row \d+ of \d+ \(user "U\d+"\): the scores are not finite, because the weights are not/,
  );
  expect(existsSync(join(run, 'model'))).toBe(false);
});

test('a quantized model is called one', async () => {
  await expect(evaluateStage({ ...stage, model: `${CASES}/m_gptq` })).rejects.toThrow(
    `${CASES}/m_gptq/config.json: quantized (gptq): take the unquantized model`,
  );
});

describe('one bad number, wherever it is', () => {
  const prompts = [[300, 305], [301, 304, 307], [302]];
  const spoilt = (name: string, at: number, value: number): LanguageModel => {
    const model = loadModel(`${CASES}/m_plain`);
    const weight = model.weights.get(name)!;
    const data = weight.dataSync<'float32'>().slice();
    data[at] = value;
    tf.tidy(() => weight.assign(tf.tensor(data, weight.shape)));
    return model;
  };
  const recommender = (model: LanguageModel): Recommender => ({
    ...loadRecommender(`${CASES}/m_plain`, index, 'sids'),
    model,
  });

  test.each([
    ['model.norm.weight', 5, NaN],
    ['model.layers.0.mlp.up_proj.weight', 40, NaN],
    ['model.embed_tokens.weight', 301 * 32 + 3, Infinity],
    ['model.layers.0.self_attn.q_proj.weight', 0, -Infinity],
  ])('%s [%d] = %d', async (name, at, value) => {
    const model = spoilt(name, at, value);
    expect(nonFiniteWeight(model)).toBe(name);
    const { trie } = recommender(model);
    for (const normalize of ['full', 'legal'] as const) {
      expect(() => beamSearch(model, trie, prompts, { numBeams: 3, normalize })).toThrow(NonFiniteScores);
      await expect(rankRows(recommender(model), dataset.test, { numBeams: 3, normalize })).rejects.toThrow(InputError);
    }
    await expect(freeBeams(model, prompts, { numBeams: 3, maxTokens: 3 })).rejects.toThrow(NonFiniteScores);
    for (const options of [{}, { temperature: 1 }, { temperature: 1, topK: 5 }, { temperature: 1, topP: 0.5 }]) {
      await expect(generate(model, prompts, { maxTokens: 3, ...options })).rejects.toThrow(NonFiniteScores);
    }
  });

  test('only the prompt that holds the bad token is named', async () => {
    // the row of token 0 is read by nothing but its own prompt, and by the output layer: untie the two
    const model = spoilt('model.embed_tokens.weight', 7, 0);
    const output = tf.variable(tf.clone(model.weights.get('model.embed_tokens.weight')!));
    model.weights.set('lm_head.weight', output);
    const bad = spoilt('model.embed_tokens.weight', 302 * 32, NaN).weights.get('model.embed_tokens.weight')!;
    model.weights.set('model.embed_tokens.weight', bad);
    const untied = { ...model, config: { ...model.config, tied: false } };
    const { trie } = recommender(untied);
    expect(() => beamSearch(untied, trie, prompts, { numBeams: 3 })).toThrow(/^beamSearch: prompt 3: /);
    await expect(freeBeams(untied, prompts, { numBeams: 3, maxTokens: 1, batchRows: 2 })).rejects.toThrow(
      /^generate: prompt 3: /,
    );
    await expect(generate(untied, prompts, { maxTokens: 1, batchRows: 2 })).rejects.toThrow(/^generate: prompt 3: /);
    const rows = [300, 302, 301]
      .map((token) => token - 300)
      .map((item) => ({ user: `u${item}`, history: [item], target: 0 }));
    const render = { ...recommender(untied).render, prompt: ([item]: readonly number[]) => [300 + item!] };
    await expect(rankRows({ ...recommender(untied), render }, rows, { numBeams: 2 })).rejects.toThrow(
      /^evaluate: row 2 of 3 \(user "u2"\): /,
    );
  });

  test('weights that are finite and overflow', () => {
    const model = spoilt('model.norm.weight', 0, 3e38);
    const { trie } = recommender(model);
    expect(nonFiniteWeight(model)).toBeUndefined();
    expect(() => beamSearch(model, trie, prompts, { numBeams: 3 })).toThrow(
      'although all weights are: the model overflows',
    );
  });
});
