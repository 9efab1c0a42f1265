/** Runs of GRPO on tiny data: no worse than their start, finished is finished, and what each option leaves in the folder. */
import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { filterStage } from '../../../lib/data/filter/filter-stage.js';
import { writeSample } from '../../../lib/data/sample/sample.js';
import { embedItems } from '../../../lib/embed/embed-items.js';
import { useEngine } from '../../../lib/engine/engine.js';
import { hashFile, readJson } from '../../../lib/files/files.js';
import { readMetrics } from '../../../lib/runs/metric-lines.js';
import { sidStage } from '../../../lib/sid/sid-stage.js';
import type { GrpoOptions } from '../../../lib/train/grpo/grpo-options.js';
import { settleGrpo } from '../../../lib/train/grpo/grpo-settings.js';
import { grpo, grpoEstimate } from '../../../lib/train/grpo/grpo.js';
import type { Reward } from '../../../lib/train/grpo/rewards/reward-context.js';
import { functionStamp } from '../../../lib/train/grpo/rewards/reward-list.js';
import { readRollouts } from '../../../lib/train/grpo/rollout/rollout-log.js';
import { sft } from '../../../lib/train/sft/sft.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-grpo-'));
const shared = { data: folder, index: join(folder, 'tiny.index.json'), validRows: 50 };
let start: { model: string; ndcg: number };
let mixed: string;

beforeAll(async () => {
  await useEngine();
  const { reviews, meta } = writeSample({ out: join(folder, 'raw'), size: 'tiny' });
  await filterStage({ reviews, meta, out: folder, dataset: 'tiny' });
  await embedItems({ data: folder });
  await sidStage({ embeddings: join(folder, 'tiny.emb-lsa.npy'), codebookSize: 8 });
  const model = { model: 'qwen2:32x1', batchSize: 8, learningRate: 2e-3 };
  const { model: own, best } = await sft({ ...shared, ...model, run: join(folder, 'sft'), epochs: 3 });
  start = { model: own, ndcg: best.metrics['NDCG@10']! };
  const tasks = 'seqrec,title2sid,sid2title';
  mixed = (await sft({ ...shared, ...model, run: join(folder, 'mixed'), tasks, vocabSize: 300, epochs: 1, cutoffLen: 90, dataRatio: 0.2, validRows: 3 })).model; // prettier-ignore
});

const run = (name: string, more: Partial<GrpoOptions> = {}): GrpoOptions => ({
  ...{ ...shared, run: join(folder, name), model: start.model, sampleSize: 16, batchSize: 8, numGenerations: 4 },
  ...{ learningRate: 1e-3, epochs: 1, validRows: 4 },
  ...more,
});
const linesOf = (name: string) => readMetrics(join(folder, name, 'metrics.jsonl'));
const updates = (name: string) => linesOf(name).filter((line) => line.loss !== undefined);

test('a short run is no worse on validation than its start, by its own log', async () => {
  const report = await grpo(
    run('short', { sampleSize: 64, batchSize: 16, numGenerations: 8, evalSteps: 2, validRows: 50 }),
  );
  expect(report.steps).toBe(4);
  expect(report.best.metrics['NDCG@10']).toBeGreaterThanOrEqual(report.start['NDCG@10']!);
  expect(report.start['NDCG@10']).toBeCloseTo(start.ndcg, 6); // the same rows, the same search
  const validated = linesOf('short').flatMap((line) => ('valid NDCG@10' in line ? [line['valid NDCG@10']!] : []));
  expect(Math.max(...validated)).toBe(report.best.metrics['NDCG@10']);
  expect(linesOf('short').filter((line) => 'groups with a hit' in line)).toHaveLength(4);
  expect(Object.keys(updates('short')[0]!)).toEqual(
    expect.arrayContaining([
      ...[
        'loss',
        'norm',
        'rate',
        'tokens',
        'seconds',
        'kl',
        'clip low',
        'clip high',
        'ratio min',
        'ratio max',
        'reward',
      ],
      ...[
        'reward std',
        'groups with a hit',
        'groups with equal rewards',
        'rollout HR@10',
        'rollout NDCG@10',
        'entropy',
      ],
      ...['distinct items', 'distinct first codes', 'completions', 'completion tokens'],
      ...['seconds rollout', 'seconds rewards', 'seconds reference', 'seconds policy'],
    ]),
  );
});

test('a reward of one’s own: finished is finished, another source is another run', async () => {
  const sameCategory: Reward = ({ items, target, texts }) =>
    items.map((item) => Number(texts![item]!.categories === texts![target]!.categories));
  const options = run('own', { reward: sameCategory });
  const report = await grpo(options);
  expect(report.steps).toBe(2);
  const config = readJson<Record<string, unknown>>(join(folder, 'own', 'config.json'));
  expect(config.reward).toEqual(functionStamp(sameCategory));
  expect(config).not.toHaveProperty('lossType'); // what is at its default is left out, so that older runs are the same
  expect(await grpo(options)).toEqual(report);
  await expect(grpo({ ...options, reward: 'rule' })).rejects.toThrow(/reward is \{"name":"sameCategory".*"rule" here/);
  await expect(grpo({ ...options, lossType: 'dapo' })).rejects.toThrow(/lossType is undefined there, "dapo" here/);
});

const scorer = (_: readonly (readonly number[])[], items: readonly (readonly number[])[]) => items.map((of) => of.map((item) => -item)); // prettier-ignore

test('what the KL is to: as asked, the start by default, nothing where beta is 0', async () => {
  const kind = async (more: Partial<GrpoOptions>) => (await settleGrpo(run('kind', more))).settings.referenceKind;
  expect(await kind({ reference: 'synchronised', beta: 0.1 })).toBe('synchronised');
  expect([await kind({ beta: 0.1 }), await kind({ beta: 0 })]).toEqual(['frozen', 'none']);
});

test.each<[string, Partial<GrpoOptions>, string[]]>([
  ['sampled items, several rewards', { rollout: 'sample', temperature: 1.3, topP: 0.9, reward: 'rule,hierarchical:0.5,sasrec:0.01', scorer, logRollouts: 2 }, ['reward rule', 'reward sasrec std']], // prettier-ignore
  ['sampled beams, dynamic, ground truth', { rollout: 'sample-beams', dynamicSampling: true, addGroundTruth: true, beta: 0, sftWeight: 1e-3 }, []], // prettier-ignore
  ['two updates a rollout, over the trie', { numIterations: 2, normalize: 'legal', lossType: 'gspo', epsilon: 3e-4, kl: 'k2' }, []], // prettier-ignore
  ['the KL in the reward, tokens rewarded', { klIn: 'reward', kl: 'k1', reward: 'token,rule', lossType: 'dr_grpo' }, ['kl']], // prettier-ignore
  ['groups drawn anew', { equalGroups: 'redraw', rollout: 'sample', lossType: 'dapo', delta: 2 }, ['groups redrawn', 'groups trained', 'clip dual']], // prettier-ignore
  ['a reference that follows', { reference: 'synchronised', syncSteps: 1, advantages: 'batch', scaleRewards: 'batch', lossType: 'cispo' }, ['kl']], // prettier-ignore
  ['free texts and their format', { rollout: 'free', reward: 'format,rule', maxTokens: 4, maskTruncated: true }, ['reward format']], // prettier-ignore
  ['vectors and counts', { reward: 'semantic,transition:0.1', embeddings: join(folder, 'tiny.emb-lsa.npy'), aggregateRewards: 'normalize_then_sum' }, []], // prettier-ignore
])('%s', async (name, options, logged) => {
  const report = await grpo(run(name, options));
  expect(report.steps).toBe(2 * (options.numIterations ?? 1));
  for (const line of updates(name)) expect(Number.isFinite(line.loss)).toBe(true);
  for (const metric of logged) expect(updates(name)[0], metric).toHaveProperty([metric]);
  if (options.beta === 0) expect(updates(name)[0]).not.toHaveProperty('kl');
  if (!options.logRollouts) return expect(existsSync(join(folder, name, 'rollouts.jsonl'))).toBe(false);
  const rows = readRollouts(join(folder, name));
  expect(new Set(rows.map(({ step, group }) => `${step} ${group}`))).toEqual(new Set(['1 0', '1 1', '2 0', '2 1']));
  expect(rows[0]).toMatchObject({
    rank: 1,
    task: 'sids',
    title: expect.any(String),
    'reward rule': expect.any(Number),
  });
});

test('a mix of tasks, answers in words among them', async () => {
  const tasks = 'seqrec:n=8,title2sid:n=6,sid2title:n=4';
  const options = run('tasks', {
    model: mixed,
    tasks,
    reward: 'ranking,rouge',
    sampleSize: 0,
    epochs: 0.05,
    maxTokens: 6,
  });
  const report = await grpo(options);
  expect(report.steps).toBeGreaterThan(0);
  expect(updates('tasks').some((line) => 'reward rouge' in line)).toBe(true);
  expect(readJson<{ template: string }>(join(folder, 'tasks', 'config.json')).template).toBe('seqrec');
  const words = run('words', { model: mixed, tasks: 'sid2title:n=8', reward: 'rouge', validRows: 3, maxTokens: 6 });
  const { best } = await grpo(words);
  expect(Object.keys(best.metrics)).toEqual(['reward']);
  expect(readJson<{ template: string }>(join(folder, 'words', 'config.json')).template).toBe('sid2title');
});

describe('what is trained', () => {
  const files = (name: string) => readdirSync(join(folder, name, 'model')).sort();

  test('LoRA: the model is an adapter, and trained further it is one again', async () => {
    const own = await grpo(run('lora', { lora: { rank: 4, modules: [] }, reference: 'base' }));
    expect(files('lora')).toContain('adapter_model.safetensors');
    expect(files('lora')).not.toContain('model.safetensors');
    const further = await grpo(run('lora again', { model: own.model, lora: true }));
    expect(files('lora again')).toContain('adapter_model.safetensors');
    expect(further.start['NDCG@10']).toBeCloseTo(own.best.metrics['NDCG@10']!, 6);
    const configs = ['lora', 'lora again'].map((name) => readJson<{ r: number; base_model_name_or_path: string }>(join(folder, name, 'model', 'adapter_config.json'))); // prettier-ignore
    expect(configs[1]).toMatchObject({ r: 4, base_model_name_or_path: configs[0]!.base_model_name_or_path });
    const merged = await grpo(run('merged', { model: own.model })); // without the flag everything is trained
    expect(files('merged')).toContain('model.safetensors');
    expect(merged.start['NDCG@10']).toBeCloseTo(own.best.metrics['NDCG@10']!, 6);
    await expect(grpo(run('x', { model: own.model, lora: { rank: 8 } }))).rejects.toThrow('--lora-rank: the adapter');
    await expect(grpo(run('x', { model: own.model, lora: true, freeze: 'embeddings' }))).rejects.toThrow('expected --freeze none'); // prettier-ignore
  });

  test('frozen tables keep their bits', async () => {
    await grpo(run('frozen', { freeze: 'embeddings', evalSteps: 1, beta: 0.1 }));
    expect(updates('frozen')[0]!.norm).toBeGreaterThan(0);
  });
});

test('an estimate says what a run would take, and writes nothing', async () => {
  const estimate = await grpoEstimate(run('estimated', { sampleSize: 32, batchSize: 16, numIterations: 2 }));
  expect(estimate).toMatchObject({ steps: 4, parameters: estimate.trainable });
  const whole = estimate.largestPart;
  expect((await grpoEstimate(run('estimated', { tokenBudget: 100 }))).largestPart).toBeLessThan(Math.min(whole, 101));
  expect(estimate.memory).toBeGreaterThan(0);
  expect(existsSync(join(folder, 'estimated'))).toBe(false);
});

test('a budget that cuts every batch gives the same trajectory', async () => {
  await grpo(run('whole'));
  await grpo(run('cut', { tokenBudget: 20 }));
  const last = (name: string) => updates(name).at(-1)!;
  expect(last('cut').loss).toBeCloseTo(last('whole').loss!, 5);
  expect(last('cut').norm! / last('whole').norm!).toBeCloseTo(1, 3);
  expect(last('cut').tokens).toBeGreaterThan(last('whole').tokens!); // prompts are repeated
});

test('the bounds of the clip move nothing in the first update on a rollout, and are not the optimizer’s', async () => {
  const [one, other] = [await grpo(run('narrow', { epsilon: 0.01 })), await grpo(run('wide', { epsilon: 0.9 }))];
  expect(hashFile(join(one.model, 'model.safetensors'))).toBe(hashFile(join(other.model, 'model.safetensors')));
  expect(updates('narrow').map(({ norm }) => norm)).toEqual(updates('wide').map(({ norm }) => norm));
  expect(updates('wide').at(-1)!.kl).toBeGreaterThan(1e-5); // a step of the learning rate was made
});

test('the same run twice has the same bits', async () => {
  const options = { rollout: 'sample', numIterations: 2, equalGroups: 'redraw' } as const;
  const [one, other] = [await grpo(run('one', options)), await grpo(run('other', options))];
  expect(hashFile(join(one.model, 'model.safetensors'))).toBe(hashFile(join(other.model, 'model.safetensors')));
});
