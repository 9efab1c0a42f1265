/** The options of training: every default, every bound, and the rules of where training starts. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadDataset } from '../../lib/data/load.js';
import { writeIndex } from '../../lib/data/sid-index.js';
import { useEngine } from '../../lib/engine/engine.js';
import { type LanguageModel, trainableWeights } from '../../lib/lm/language-model.js';
import { weightArray } from '../../lib/lm/model-files.js';
import { loadModel, saveModel } from '../../lib/lm/model.js';
import { wordTokenizer } from '../../lib/lm/tokenizer/tokenizer.js';
import { TEMPLATES } from '../../lib/tasks/templates.js';
import { GRPO_OPTIONS } from '../../lib/train/grpo/grpo-options.js';
import { readValidRows, writeValidRows } from '../../lib/runs/valid-rows.js';
import { sinceStart } from '../../lib/train/grpo/since-start.js';
import { checkInitialModel, initialModel, isShape } from '../../lib/train/sft/initial-model.js';
import { SFT_OPTIONS, type SftOptions } from '../../lib/train/sft/sft-options.js';
import { chainTexts } from '../../lib/tasks/examples.js';
import { planTasks } from '../../lib/tasks/plan-tasks.js';
import { defaultBestMetric } from '../../lib/train/sft/default-best-metric.js';
import { defaultEpochs } from '../../lib/train/sft/default-epochs.js';
import { sftEstimate } from '../../lib/train/sft/sft.js';
import { checkTrainable, type TrainableOptions } from '../../lib/train/sft/trainable.js';

beforeAll(async () => void (await useEngine()));

const SHARED = {
  ...{ schedule: 'cosine', warmupRatio: 0, weightDecay: 0, layerCheckpointing: false, validRows: 500 },
  ...{ precision: 'auto', saveDtype: 'float32', shardOptimizer: false, gradientDtype: 'float32' },
  ...{ again: false, averageDecay: 0, seed: 42 },
};

test('defaults of sft', () => {
  expect(SFT_OPTIONS.parse({ data: 'd' })).toEqual({
    ...SHARED,
    ...{ weighting: 'loss', cutHistories: 0, cutLength: 3, coldTargets: 0, coldSeen: 0, coldNeighbours: 5 },
    ...{ data: 'd', model: 'qwen2:128x4', dataRatio: 1, sidVocabulary: 'used', init: 'mean', window: 10 },
    ...{ lossOn: 'answer', promptsPerExample: 1 },
    ...{ learningRate: 1e-3, maxGradNorm: 1, weightDecay: 0.01, optimizer: 'adamw', muonScale: 'rms' },
    ...{ batchSize: 32, batchTokens: 0, tokenBudget: 8192, dropout: 0.3, evalEpochs: 2, evalSteps: 0 },
    ...{ keep: 1, keepLast: false, patience: 0, freeze: 'none' },
  });
});

test('defaults of grpo', () => {
  expect(GRPO_OPTIONS.options.lora.group!.dropout!.default).toBe(0); // log p is compared between passes
  expect(GRPO_OPTIONS.parse({ data: 'd', model: 'm' })).toEqual({
    ...SHARED,
    ...{ data: 'd', model: 'm', numGenerations: 16, beta: 1e-3, reward: 'ranking', sampleSize: 0, epochs: 2 },
    ...{ batchSize: 64, dropout: 0, learningRate: 1e-5, warmupSteps: 0, maxGradNorm: 0.3, evalSteps: 10 },
    ...{ rollout: 'beams', temperature: 1, topP: 1, maxTokens: 64, dynamicSampling: false, addGroundTruth: false },
    ...{ aggregateRewards: 'sum_then_normalize', advantages: 'group', scaleRewards: 'group', equalGroups: 'keep' },
    ...{ maskTruncated: false, lossType: 'grpo', epsilon: 0.2, delta: 0, numIterations: 1, normalize: 'full' },
    ...{ kl: 'k3', klIn: 'loss', syncSteps: 512, syncWeight: 0.6, sftWeight: 0, tokenBudget: 8192, logRollouts: 0 },
    ...{ optimizer: 'adamw', muonScale: 'rms', keep: 1, keepLast: false, patience: 0, freeze: 'none' },
  });
});

/** Of each option its last good value and its first bad one. */
const BOUNDS: [keyof SftOptions, good: number, bad: number][] = [
  ['dataRatio', 1, 1.01],
  ['dataRatio', 1e-9, 0],
  ['vocabSize', 257, 256],
  ['window', 1, 0],
  ['epochs', 1e-9, 0],
  ['learningRate', 1e-9, 0],
  ['warmupSteps', 0, -1],
  ['warmupRatio', 0, -0.01],
  ['warmupRatio', 1, 1.01],
  ['weightDecay', 0, -0.01],
  ['batchSize', 1, 0],
  ['batchTokens', 0, -1],
  ['tokenBudget', 1, 0],
  ['dropout', 0, -0.01],
  ['dropout', 0.999, 1],
  ['evalEpochs', 1e-9, 0],
  ['evalSteps', 0, -1],
  ['keep', 1, 0],
  ['patience', 0, -1],
  ['maxGradNorm', 0, -0.01],
  ['validRows', 0, -1],
  ['seed', 0, -1],
  ['averageDecay', 0, -0.01],
  ['averageDecay', 0.999, 1],
];

test.each(BOUNDS)('%s of %d is good, of %d it is not', (name, good, bad) => {
  expect(SFT_OPTIONS.parse({ data: 'd', [name]: good })[name]).toBe(good);
  expect(() => SFT_OPTIONS.parse({ data: 'd', [name]: bad })).toThrow(`sft: expected ${name} to be`);
});

test.each([
  ['numGenerations', 2, 1],
  ['beta', 0, -0.001],
  ['sampleSize', 0, -1],
  ['batchSize', 1, 0],
  ['temperature', 1e-3, 0],
  ['topP', 1, 1.01],
  ['topP', 1e-3, 0],
  ['maxTokens', 1, 0],
  ['epsilon', 0, -0.01],
  ['epsilon', 1, 1.01],
  ['epsilonHigh', 0, -0.01],
  ['delta', 0, -0.01],
  ['numIterations', 1, 0],
  ['syncSteps', 1, 0],
  ['syncWeight', 1, 1.01],
  ['syncWeight', 1e-3, 0],
  ['sftWeight', 0, -0.01],
  ['tokenBudget', 1, 0],
  ['logRollouts', 0, -1],
  ['dropout', 0, -0.01],
  ['dropout', 0.999, 1],
  ['averageDecay', 0, -0.01],
  ['averageDecay', 0.999, 1],
] as const)('grpo: %s of %d is good, of %d it is not', (name, good, bad) => {
  const given = { data: 'd', model: 'm', ...(name.startsWith('sync') && { reference: 'synchronised' as const }) };
  expect(GRPO_OPTIONS.parse({ ...given, [name]: good })[name]).toBe(good);
  expect(() => GRPO_OPTIONS.parse({ ...given, [name]: bad })).toThrow(`grpo: expected ${name} to be`);
});

describe('GRPO since its start', () => {
  const none = () => undefined;
  const line = (step: number, ndcg: number) => ({ step, 'valid NDCG@10': ndcg, 'valid HR@10': 2 * ndcg });
  const log = (...ndcg: number[]) => [{ step: 0, other: 1 }, ...ndcg.flatMap((x, i) => [line(3 * i, x), { step: 3 * i + 1, loss: 1 }])]; // prettier-ignore

  test('the first validation and the last, whatever lies between', () => {
    expect(sinceStart(log(0.1, 0.05, 0.3), 6, none)).toEqual({
      start: { 'NDCG@10': 0.1, 'HR@10': 0.2 },
      last: { 'NDCG@10': 0.3, 'HR@10': 0.6 },
    });
    expect(sinceStart(log(0.1), 0, none)).not.toHaveProperty('warning');
    expect(sinceStart(log(0.1, 0.9, 0.1), 3, none)).not.toHaveProperty('warning');
  });

  test('a last update that is worse than the start is said, by the paired test over the rows', () => {
    const rows = (hits: number) => Array.from({ length: 100 }, (_, i) => ({ user: `u${i}`, rank: i < hits ? 1 : 0 }));
    const worse = sinceStart(log(0.2, 0.9, 0.1), 3, (step) => rows(step === 0 ? 20 : 10));
    expect(worse.warning).toMatch(
      /^the last update is worse on validation than the SFT model \(NDCG@10 0\.1000, it had 0\.2000, p 0\.002\d?\); the best of step 3 is kept$/,
    );
    const chance = sinceStart(log(0.2, 0.9, 0.17), 3, (step) => rows(step === 0 ? 20 : 17));
    expect(chance).not.toHaveProperty('warning');
    expect(sinceStart(log(0.2, 0.9, 0.1), 3, none).warning).toContain('lower on validation than the SFT model');
    for (const kept of [0, 6]) {
      // rows of one of the two alone cannot be compared
      const one = sinceStart(log(0.2, 0.9, 0.1), 3, (step) => (step === kept ? rows(10) : undefined));
      expect(one.warning).toContain('lower on validation');
    }
    const eleventh = (hits: number) => rows(0).map((row, i) => ({ ...row, rank: i < hits ? 11 : 0 }));
    const beyond = sinceStart(log(0.2, 0.9, 0.1), 3, (step) => eleventh(step === 0 ? 100 : 0));
    expect(beyond).not.toHaveProperty('warning'); // ranks beyond the tenth are no loss
  });

  test('rows of a validation are kept by step, the last one of a step', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sidlab-valid-'));
    expect(readValidRows(folder, 0)).toBeUndefined();
    writeValidRows(folder, 1, [{ user: 'a', rank: 1 }]);
    writeValidRows(folder, 12, [{ user: 'a', rank: 5 }]);
    writeValidRows(folder, 1, [{ user: 'a', rank: 2 }]);
    expect(readValidRows(folder, 1)).toEqual([{ user: 'a', rank: 2 }]);
    expect(readValidRows(folder, 2)).toBeUndefined();
  });
});

describe('where training starts', () => {
  const INDEX = [['<a_0>', '<b_0>'], ['<a_2>', '<b_0>']]; // prettier-ignore
  const base = join(mkdtempSync(join(tmpdir(), 'sidlab-start-')), 'base');

  /** A folder whose tokenizer has so many words, and whose table has 41 rows. */
  function baseOf(words: number, sids: string[][] = []): string {
    const tokenizer = wordTokenizer(Array.from({ length: words }, (_, i) => `word${i}`), sids); // prettier-ignore
    saveModel(base, loadModel('test/golden/qwen2-tied'), { json: tokenizer.json });
    return base;
  }

  test('shapes and folders', () => {
    expect(['qwen2:32x1', 'qwen3:64x2', 'llama:8x1', 'models/qwen2:x', 'gpt:32x1', 'qwen2'].map(isShape)).toEqual([
      ...[true, true, true, false, false, false],
    ]);
  });

  test('what can be said before anything is loaded', () => {
    const fails = (options: object, message: string, from = 'folder') =>
      expect(() => checkInitialModel(from, options)).toThrow(message);
    expect(() => checkInitialModel('qwen2:32x1', {})).not.toThrow();
    expect(() => checkInitialModel('folder', { init: 'title', vocabSize: 257, sidTokens: 'subwords', sidVocabulary: 'all' })).not.toThrow(); // prettier-ignore
    fails({ sidTokens: 'old' }, '--sid-tokens: expected new or subwords, got old');
    fails({ sidVocabulary: 'some' }, '--sid-vocabulary: expected used or all, got some');
    fails({ init: 'zero' }, '--init: expected mean or title or keywords, got zero');
    fails({ init: 'title' }, '--init title: expected --model to be a folder with weights, whose rows it reads, got qwen2:8x1', 'qwen2:8x1'); // prettier-ignore
    fails({ initNoise: 0.5 }, '--init-noise: expected --model to be a folder with weights, whose rows it reads, got qwen2:8x1', 'qwen2:8x1'); // prettier-ignore
    fails({ vocabSize: 256 }, '--vocab-size: expected at least 257');
    expect(() => initialModel('qwen2:32x1', INDEX, 1, { vocabSize: 1 })).toThrow('--vocab-size');
    expect(() => initialModel('qwen2:32x1', INDEX, 1, { freeze: 'all-but-new-rows' })).toThrow('--freeze all-but-new-rows'); // prettier-ignore
  });

  test('a shape: the words of its templates and the SIDs, as they occur or all; or subwords', () => {
    const vocabulary = (options: Parameters<typeof initialModel>[3]) => {
      const { model, tokenizer, sids } = initialModel('qwen2:32x1', INDEX, 1, options);
      expect(model.config).toMatchObject({ vocabSize: tokenizer.vocabSize, eosTokenId: 0 });
      expect(sids).toBeUndefined();
      return tokenizer;
    };
    const plain = vocabulary({});
    expect(['<a_0>', '<a_1>', '<a_2>', '<b_0>'].map((token) => plain.has(token))).toEqual([true, false, true, true]);
    expect(vocabulary({ sidVocabulary: 'all' }).has('<a_1>')).toBe(true);
    const templates = [TEMPLATES.title2sid!];
    const items = ['Zebra crossing', 'Zebra lamp'].map((title) => ({ title, description: 'quaint quaint', brand: 'Xylo Xylo', categories: 'Jig Jig' })); // prettier-ignore
    const subwords = vocabulary({ templates, items, vocabSize: 270 });
    expect([subwords.vocabSize, subwords.has('<a_2>'), subwords.has('<a_1>')]).toEqual([273, true, false]);
    expect(vocabulary({ templates, items, vocabSize: 270, sidVocabulary: 'all' }).vocabSize).toBe(276);
    const spelled = vocabulary({ sidTokens: 'subwords', vocabSize: 258 });
    expect([spelled.vocabSize, spelled.has('<a_2>')]).toEqual([258, false]);
    const worded = [{ ...TEMPLATES.title2sid!, prompts: ['{title}: Jqvxzk? Jqvxzk?'] }];
    const rich = vocabulary({ templates: worded, items, vocabSize: 2000 });
    for (const word of ['Zebra', 'quaint', 'Xylo', 'Jig', 'Jqvxzk']) expect(rich.encode(word).length, word).toBeLessThan(word.length); // prettier-ignore
  });

  test('a folder: tokens that join, tokens that it had, rows that its tokenizer lacked', () => {
    expect(initialModel(baseOf(39), INDEX, 1).sids).toEqual({ added: 3, reused: 0 });
    expect(initialModel(baseOf(30, INDEX.slice(0, 1)), INDEX, 1).sids).toEqual({ added: 1, reused: 2 });
    expect(initialModel(baseOf(30), INDEX, 1, { sidVocabulary: 'all' }).sids).toEqual({ added: 6, reused: 0 });
    const spelled = initialModel(baseOf(39), INDEX, 1, { sidTokens: 'subwords' });
    expect([spelled.sids, spelled.tokenizer.has('<a_0>'), spelled.model.config.vocabSize]).toEqual([undefined, false, 41]); // prettier-ignore
    const rows = ({ model }: { model: { weights: ReadonlyMap<string, { shape: number[] }> } }) =>
      [...model.weights].flatMap(([name, { shape }]) => (name.endsWith('.new_rows') ? [shape[0]] : []));
    const frozen = (words: number, sids: string[][] = []) => rows(initialModel(baseOf(words, sids), INDEX, 1, { freeze: 'all-but-new-rows' })); // prettier-ignore
    expect(frozen(39)).toEqual([3]);
    expect(frozen(30, INDEX.slice(0, 1))).toEqual([1]);
    expect(frozen(30, INDEX)).toEqual([3]); // it had them all
  });

  test('adapters: whether tokens joined decides what is trained beside them', () => {
    const trained = (words: number, sids: string[][] = []) => initialModel(baseOf(words, sids), INDEX, 1, { lora: true }).model.lora!; // prettier-ignore
    expect(trained(39)).toMatchObject({ newTokens: true, rank: 32 });
    expect(trained(30, INDEX).newTokens).toBe(false);
    expect(trained(30, INDEX.slice(0, 1)).newTokens).toBe(true); // a single one
    expect(trained(45, INDEX).newTokens).toBe(true); // rows that the table lacked
    expect(initialModel(baseOf(30, INDEX), INDEX, 1, { lora: true, sidTokens: 'subwords' }).model.lora!.newTokens).toBe(false); // prettier-ignore
  });

  test.each(['none', 'embeddings', 'all-but-new-rows'] as const)(
    'an adapter that is saved has every row: freeze %s',
    (freeze) => {
      const at = join(base, '..', 'adapter');
      const table = (model: LanguageModel) => weightArray(model, 'model.embed_tokens.weight').data.slice();
      for (const [words, sids] of [
        [39, []],
        [45, []],
        [45, INDEX],
        [30, INDEX.slice(0, 1)],
      ] as [number, string[][]][]) {
        // prettier-ignore
        const { model, tokenizer } = initialModel(baseOf(words, sids), INDEX, 1, { lora: { rank: 2 }, freeze });
        saveModel(at, model, { json: tokenizer.json });
        expect(table(loadModel(at)), `${words} words, ${sids.length} SIDs`).toEqual(table(model));
      }
    },
  );

  test('adapters as they are asked for; with what is frozen no table is trained whole', () => {
    const of = (options: TrainableOptions) => initialModel(baseOf(39), INDEX, 1, options).model;
    expect(of({ lora: true }).lora).toMatchObject({ rank: 32, modules: ['embed_tokens', 'lm_head'] });
    const lora = { rank: 4, modules: ['embed_tokens'] } as const;
    expect(of({ lora }).lora).toMatchObject(lora);
    expect(of({ lora: { rank: 4 }, freeze: 'embeddings' }).lora).toMatchObject({ rank: 4, modules: [] });
    const trained = (options: TrainableOptions) => [...trainableWeights(of(options)).keys()];
    const tables = (names: string[]) => names.filter((name) => name.includes('embed_tokens'));
    expect(tables(trained({ lora }))).toEqual(['model.embed_tokens.weight']);
    expect(tables(trained({ lora: true, freeze: 'embeddings' }))).toEqual([]);
    expect(tables(trained({ lora: true, freeze: 'all-but-new-rows' }))).toEqual(['model.embed_tokens.new_rows']);
    expect(() => checkTrainable('test/golden/qwen3', { lora: { modules: ['lm_head'] }, freeze: 'embeddings' })).toThrow('--lora-modules'); // prettier-ignore
    expect(() => checkTrainable('test/golden/qwen3', { lora: { rank: 1.5 } })).toThrow('lora: expected rank');
  });

  test('what goes together', () => {
    for (const options of [
      {},
      { freeze: 'embeddings' },
      { lora: true, freeze: 'embeddings' },
      { lora: { modules: ['lm_head'] } },
      { lora: { modules: [] }, freeze: 'embeddings' },
    ] as const) {
      expect(() => checkTrainable('test/golden/qwen3', options)).not.toThrow();
    }
    expect(() => checkTrainable('qwen2:32x1', { freeze: 'all-but-embeddings' })).not.toThrow();
    expect(() => checkTrainable('folder/of:3x2', { freeze: 'all-but-new-rows' })).not.toThrow();
  });
});

test.each([
  [0, 30],
  [1, 30],
  [100, 30],
  [101, 29],
  [236, 12], // MovieLens 100K
  [375, 8],
  [376, 8],
  [100_000, 8],
])('%d updates of chains an epoch: %d epochs', (updates, epochs) => {
  expect(defaultEpochs(updates, 'one')).toBe(epochs);
  expect(defaultEpochs(8 * updates, 'several')).toBe(epochs); // 98 of Industrial and 762 of Beauty: 30
  expect(defaultEpochs(updates, 'other')).toBe(30);
});

test('a run counts its own chains, and rows are left at 30', async () => {
  const { train, items } = await loadDataset('test/cases/shop');
  const chains = chainTexts(train, TEMPLATES.sids!, 1).length;
  expect(chains).toBeGreaterThan(110);
  const options = { data: 'test/cases/shop', model: 'qwen2:32x1', batchSize: 1, window: 1 };
  const index = join(mkdtempSync(join(tmpdir(), 'sidlab-epochs-')), 'one.index.json');
  writeIndex(index, items.map((_, i) => [`<a_${i}>`])); // prettier-ignore
  expect((await sftEstimate({ ...options, index })).epochs).toBe(Math.max(8, Math.floor(3000 / chains)));
  expect((await sftEstimate(options)).epochs).toBe(30); // of several tokens a SID
  expect((await sftEstimate({ ...options, mode: 'row' })).epochs).toBe(30);
  expect((await sftEstimate({ ...options, epochs: 2 })).epochs).toBe(2);
});

test('the model is chosen by the loss where it is that of items, else by ranks', () => {
  const one = [['<a_0>'], ['<a_1>']];
  const plan = (options: Parameters<typeof planTasks>[0]) => planTasks(options);
  expect(defaultBestMetric(plan({}), one)).toBe('loss');
  expect(defaultBestMetric(plan({}), [...one, ['<a_0>', '<b_0>']])).toBe('NDCG@10');
  expect(defaultBestMetric(plan({ template: 'words' }), one)).toBe('NDCG@10'); // its loss is the end's, too
  expect(defaultBestMetric(plan({ tasks: 'sids,sid2title' }), one)).toBe('NDCG@10');
  expect(defaultBestMetric(plan({ template: 'titles2title' }), one)).toBe('loss'); // no task answers with a SID
});
