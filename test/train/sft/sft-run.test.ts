/** A run of fine-tuning: what its configuration records, how long it is, what it keeps, and which rows it is measured on. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { loadDataset } from '../../../lib/data/load.js';
import { useEngine } from '../../../lib/engine/engine.js';
import { writeNpy } from '../../../lib/files/npy.js';
import { loadTokenizer } from '../../../lib/lm/tokenizer/tokenizer.js';
import { readMetrics } from '../../../lib/runs/metric-lines.js';
import { setNoticeSink } from '../../../lib/support/progress.js';
import { TEMPLATES } from '../../../lib/tasks/templates.js';
import type { SftOptions } from '../../../lib/train/sft/sft-options.js';
import { sft, sftEstimate } from '../../../lib/train/sft/sft.js';

await useEngine();

const folder = mkdtempSync(join(tmpdir(), 'sidlab-sft-run-'));
const at = (name: string): string => join(folder, name);
const options = (run: string, more: Partial<SftOptions> = {}): SftOptions => ({
  ...{
    data: 'test/cases/shop',
    run: at(run),
    model: 'qwen2:32x1',
    batchSize: 64,
    window: 1,
    validRows: 3,
    vocabSize: 300,
  },
  ...more,
});

describe('the configuration', () => {
  let runs = 0;
  /** What a run records before its first update. */
  async function recorded(more: Partial<SftOptions>): Promise<Record<string, unknown>> {
    const run = `recorded-${runs++}`;
    const onLog = (): never => {
      throw new Error('enough');
    };
    await expect(sft(options(run, { epochs: 1, ...more, onLog }))).rejects.toThrow('enough');
    return JSON.parse(readFileSync(join(at(run), 'config.json'), 'utf8')) as Record<string, unknown>;
  }

  const bfloat16 = tf.getBackend() === 'tensorflow' ? ({ precision: 'bfloat16' } as const) : {};
  test.each<[Partial<SftOptions>, object]>([
    [
      { warmupSteps: 7, epochs: 0.5, cutHistories: 0.5 },
      { warmupSteps: 7, epochs: 0.5, cutHistories: 0.5 },
    ],
    [
      { warmupRatio: 0.1, tasks: 'sids:n=9', saveDtype: 'bfloat16', ...bfloat16 },
      {
        ...{ warmupSteps: 0, warmupRatio: 0.1, saveDtype: 'bfloat16', ...bfloat16 },
        counts: { sids: { examples: 9, perEpoch: 9, leftOut: 0 } },
      },
    ],
  ])('of %j has %j', async (more, expected) => {
    expect(await recorded(more)).toMatchObject(expected);
  });

  test('has the defaults, and says nothing of what nobody asked for', async () => {
    const config = await recorded({});
    expect(config).toMatchObject({ warmupSteps: 100, warmupRatio: 0, epochs: 1, model: 'qwen2:32x1', template: 'sids', mode: 'chain' }); // prettier-ignore
    for (const name of ['templates', 'counts', 'precision', 'saveDtype', 'preferences', 'cutHistories', 'coldTargets'])
      expect(config, name).not.toHaveProperty(name);
    const inputs = ['shop.item.json', 'shop.train.inter', 'shop.valid.inter', 'shop.test.inter', 'index'];
    expect(Object.keys(config.inputs as object).sort()).toEqual(inputs.sort());
  });

  test('has the hashes of the files that are read, and the templates themselves', async () => {
    const { items } = await loadDataset('test/cases/shop');
    const [embeddings, preferences, templates] = [at('vectors.npy'), at('preferences.jsonl'), at('templates.json')];
    writeNpy(embeddings, { rows: items.length, width: 1, data: new Float32Array(items.length).fill(1) });
    writeFileSync(preferences, JSON.stringify({ user_preference: 'shoes', context: { history_items: [1] } }));
    const mine = { ...TEMPLATES.sids!, prompts: ['{history}{history}', '{preference}'] };
    writeFileSync(templates, JSON.stringify({ mine, other: mine }));
    const config = await recorded({ coldTargets: 1, embeddings, preferences, templates, template: 'mine' });
    const hash = expect.stringMatching(/^[0-9a-f]{64}$/) as string;
    expect(config.inputs).toMatchObject({ embeddings: hash, preferences: hash });
    expect(config.templates).toEqual({ mine });
  });
});

test.each([
  [1, 0],
  [2, 2],
])('of a run that keeps %i, %i checkpoints are left when it is done', async (keep, left) => {
  const run = `keeps-${keep}`;
  const report = await sft(options(run, { epochs: 3, tasks: 'sids:n=64', evalSteps: 1, keep }));
  expect(report).toMatchObject({ steps: 3, tasks: { sids: { perEpoch: 64 } }, truncated: 0 });
  expect(report).not.toHaveProperty('sids');
  expect(readdirSync(at(run)).filter((name) => name.startsWith('checkpoint-'))).toHaveLength(left);
  expect(readdirSync(at(run))).toContain('card.json');
});

test('prompts that were too long are counted over all updates; the model goes with the prompt that it was trained with', async () => {
  const more = { template: 'words', cutoffLen: 60, sidTokens: 'subwords', batchSize: 16, epochs: 0.15 } as const;
  const report = await sft(options('cut', more));
  const counts = readMetrics(join(at('cut'), 'metrics.jsonl')).flatMap(({ truncated }) => truncated ?? []);
  expect(counts.length).toBeGreaterThan(1);
  expect(report.truncated).toBe(counts.reduce((sum, count) => sum + count, 0));
  const { prompt } = JSON.parse(readFileSync(join(report.model, 'sidlab.json'), 'utf8')) as { prompt: object };
  expect(prompt).toMatchObject({ template: 'words', cutoffLen: 60, sidTokens: 'subwords' });
  expect(prompt).not.toHaveProperty('heldOutItems');
});

test.each<[Partial<SftOptions>, number]>([
  [{ tasks: 'sids:n=100', batchSize: 1 }, 30], // 100 updates
  [{ tasks: 'sids:n=100:16', batchSize: 1 }, 15], // 1,600 updates of SIDs of several tokens
  [{ tasks: 'sids:n=100:16', batchSize: 2 }, 30],
  [{ tasks: 'sids:n=100:16.23', batchSize: 2 }, 29], // 811.5
  [{ tasks: 'sids:n=100:16', batchSize: 1, batchTokens: 64 }, 30], // nobody knows how many
  [{ tasks: 'sids:n=100:16:row', batchSize: 1 }, 30],
  [{ tasks: 'sids:n=100:16,sids2title:n=1', batchSize: 1 }, 30],
])('%j: %i epochs', async (more, epochs) => {
  expect((await sftEstimate(options('none', more))).epochs).toBe(epochs);
});

test('all rows of the task that is ranked have their loss measured, of the others as many as asked for', async () => {
  const losses = async (validRows: number): Promise<[ranked: number, other: number]> => {
    const run = `held-out-${validRows}`;
    const tasks = 'sids:n=64,title2sid:n=1';
    await sft(options(run, { tasks, epochs: 0.01, validRows, heldOutItems: 0.2 }));
    expect(loadTokenizer(join(at(run), 'model')).vocabSize, 'subwords of its titles').toBeGreaterThan(256);
    const line = readMetrics(join(at(run), 'metrics.jsonl')).find((of) => 'valid loss' in of)!;
    return [line['valid loss sids']!, line['valid loss title2sid']!];
  };
  const [few, more, all] = [await losses(1), await losses(2), await losses(0)]; // 0 asks for all
  expect(few[0]).toBe(more[0]);
  expect(few[1]).not.toBe(more[1]);
  expect(all).toEqual(await losses(1000));
});

test.each<[string, Partial<SftOptions>, string]>([
  ['NDCG@7', {}, 'loss, HR@1, NDCG@1, HR@5, NDCG@5, HR@10, NDCG@10'],
  ['NDCG@10', { tasks: 'sid2title' }, 'loss'],
  ['loss sid2title', { tasks: 'sid2title' }, 'loss'],
  ['loss', { tasks: 'sids,sid2title', bestMetric: 'loss sid2titles' }, 'loss, loss sids, loss sid2title, HR@1'],
])('a metric that no validation has, %s of %j, is refused before the first update', async (bestMetric, more, names) => {
  const wrong = options('no-metric', { bestMetric, epochs: 1, ...more });
  const { numTensors } = tf.memory();
  await expect(sft(wrong)).rejects.toThrow(`sft: expected --best-metric to be one of ${names}`);
  expect(tf.memory().numTensors, 'the model is freed').toBe(numTensors);
  expect(existsSync(at('no-metric'))).toBe(false);
});

test.each(['loss sid2title', 'loss'])('of %s the smallest is the best', async (bestMetric) => {
  const run = `metric ${bestMetric}`;
  const tasks = 'sids:n=8,sid2title:n=1'; // another title than those that are asked for: its loss falls, then rises
  const rates = { learningRate: 0.03, warmupSteps: 1, dropout: 0, schedule: 'constant' } as const;
  const { best } = await sft(options(run, { tasks, bestMetric, epochs: 12, evalEpochs: 1, ...rates }));
  const losses = readMetrics(join(at(run), 'metrics.jsonl')).flatMap((line) => line[`valid ${bestMetric}`] ?? []);
  expect(new Set(losses).size).toBeGreaterThan(5);
  expect(best.metrics[bestMetric]).toBe(Math.min(...losses));
});

test('a finished run that has not kept its last model says so when it is asked for', async () => {
  const told: string[] = [];
  setNoticeSink((line) => told.push(line));
  try {
    const given = options('not-kept', { epochs: 0.01 });
    for (const keepLast of [false, true, true]) await sft({ ...given, keepLast });
    expect(told.filter((line) => line.includes('has not kept the model of its last update'))).toHaveLength(2);
    await sft({ ...given, keepLast: true, again: true });
    told.length = 0;
    await sft({ ...given, keepLast: true });
    expect(told.join()).not.toContain('has not kept');
    expect(existsSync(join(at('not-kept'), 'last/model.safetensors'))).toBe(true);
  } finally {
    setNoticeSink(undefined);
  }
});
