/** A model with a NaN, the same model whole, and a quantized one: what evaluation, generation and rollouts say of them. */
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { loadDataset } from '../../lib/data/load.js';
import { readIndex, type SidIndex } from '../../lib/data/sid-index.js';
import { useEngine } from '../../lib/engine/engine.js';
import { evaluateStage } from '../../lib/evaluate/evaluate-stage.js';
import { rankRows } from '../../lib/evaluate/rank-rows.js';
import { loadRecommender } from '../../lib/evaluate/recommender.js';
import { generateStage } from '../../lib/evaluate/text/generate-stage.js';
import { grpo } from '../../lib/train/grpo/grpo.js';

const CASES = 'test/cases';
const INDEX = `${CASES}/shop/shop.index.json`;
const folder = mkdtempSync(join(tmpdir(), 'sidlab-finite-'));
const stage = { data: `${CASES}/shop`, index: INDEX, template: 'sids', numBeams: 10, results: join(folder, 'r.jsonl') };

let index: SidIndex;
beforeAll(async () => {
  await useEngine();
  index = readIndex(INDEX, (await loadDataset(`${CASES}/shop`)).items.length);
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

test('reinforcement learning stops at its first search, and keeps no model', async () => {
  const run = join(folder, 'run');
  const rl = { data: stage.data, index: INDEX, model: `${CASES}/m_nan`, run, template: 'sids', numGenerations: 2 };
  await expect(grpo({ ...rl, sampleSize: 4, batchSize: 2, epochs: 1 })).rejects.toThrow(
    /^grpo: sids: the row of user "U\d+": the scores are not finite, because the weights are not/,
  );
  expect(existsSync(join(run, 'model'))).toBe(false);
});

test('a quantized model is called one', async () => {
  await expect(evaluateStage({ ...stage, model: `${CASES}/m_gptq` })).rejects.toThrow(
    `${CASES}/m_gptq/config.json: quantized (gptq): take the unquantized model`,
  );
});

test('reading the rows: the one that holds the bad token is named', async () => {
  // the row of a token is read by the prompts that hold it, and by the output layer: untie the two
  const plain = loadRecommender(`${CASES}/m_plain`, index, 'sids');
  const weights = new Map(plain.model.weights);
  const table = weights.get('model.embed_tokens.weight')!;
  weights.set('lm_head.weight', tf.variable(tf.clone(table)));
  const data = table.dataSync<'float32'>().slice();
  data[302 * 32] = NaN;
  tf.tidy(() => table.assign(tf.tensor(data, table.shape)));
  const model = { ...plain.model, weights, config: { ...plain.model.config, tied: false } };
  const rows = [0, 2, 1].map((item) => ({ user: `u${item}`, history: [item], target: 0 }));
  const render = { ...plain.render, prompt: ([item]: readonly number[]) => [300 + item!] };
  for (const normalize of ['full', 'legal'] as const) {
    await expect(rankRows({ ...plain, model, render }, rows, { numBeams: 2, normalize })).rejects.toThrow(
      /^evaluate: row 2 of 3 \(user "u2"\): the scores are not finite, because the weights are not/,
    );
  }
});
