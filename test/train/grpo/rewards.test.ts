/** Rewards of one's own, what a run's configuration says of them, and groups whose items share a SID. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import fc from '../../fast-check.js';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Dataset, Row } from '../../../lib/data/dataset.js';
import { filterStage } from '../../../lib/data/filter/filter-stage.js';
import { writeSample } from '../../../lib/data/sample/sample.js';
import type { SidIndex } from '../../../lib/data/sid-index.js';
import { beamSearch } from '../../../lib/decode/beam-search.js';
import { embedItems } from '../../../lib/embed/embed-items.js';
import { useEngine } from '../../../lib/engine/engine.js';
import { createRecommender, type Recommender } from '../../../lib/evaluate/recommender.js';
import { readJson } from '../../../lib/files/files.js';
import { parseShape } from '../../../lib/lm/config.js';
import type { LanguageModel } from '../../../lib/lm/language-model.js';
import { wordTokenizer } from '../../../lib/lm/tokenizer/tokenizer.js';
import { randomWeights } from '../../../lib/lm/weights.js';
import { sidStage } from '../../../lib/sid/sid-stage.js';
import { Random } from '../../../lib/support/random.js';
import { groupAdvantages } from '../../../lib/train/grpo/advantages.js';
import { grpo } from '../../../lib/train/grpo/grpo.js';
import { grpoLoss } from '../../../lib/train/grpo/grpo-loss.js';
import { GRPO_OPTIONS } from '../../../lib/train/grpo/grpo-options.js';
import { distinctCompletions, grpoTask, type GrpoTaskOptions } from '../../../lib/train/grpo/grpo-task.js';
import { rewardGroup, rewardOf, rewardStamp } from '../../../lib/train/grpo/reward-group.js';
import {
  rankingReward,
  type Reward,
  REWARD_NAMES,
  type RewardContext,
  REWARDS,
  ruleReward,
} from '../../../lib/train/grpo/rewards.js';
import { batchGradients } from '../../../lib/train/loop/gradients.js';
import { sft } from '../../../lib/train/sft/sft.js';

beforeAll(async () => void (await useEngine()));

const row: Row = { user: 'u', history: [1], target: 5 };
const context: RewardContext = { items: [7, 5], target: 5, row, prompt: 'next' };

describe('named rewards', () => {
  test.each(REWARD_NAMES)('%s: documented, and one finite number an item', (name) => {
    expect(REWARDS[name].help).not.toBe('');
    expect(GRPO_OPTIONS.options.reward.help).toContain(REWARDS[name].help);
    expect(rewardOf(name)).toBe(REWARDS[name].reward);
    expect(rewardGroup(name, context)).toHaveLength(2);
    expect(rewardStamp(name)).toBe(name);
  });

  test('what reward may be', () => {
    const given = { data: 'd', model: 'm' };
    expect(GRPO_OPTIONS.parse(given).reward).toBe('ranking');
    expect(GRPO_OPTIONS.parse({ ...given, reward: ruleReward }).reward).toBe(ruleReward);
    for (const reward of ['rank', 3, {}, null]) {
      expect(() => GRPO_OPTIONS.parse({ ...given, reward: reward as never })).toThrow(
        /^grpo: expected reward to be one of rule, ranking, got /,
      );
    }
    expect(() => GRPO_OPTIONS.parse({ ...given, reward: 'rankin' as never })).toThrow('did you mean ranking?');
  });
});

describe('a reward of one’s own', () => {
  test('its stamp: name and source', () => {
    const half: Reward = ({ items, target }) => items.map((item) => (item === target ? 0.5 : 0));
    const third: Reward = ({ items, target }) => items.map((item) => (item === target ? 0.3 : 0));
    expect(rewardStamp(half)).toEqual({ name: 'half', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
    expect(rewardStamp(third)).not.toEqual({ ...(rewardStamp(half) as object), name: 'third' });
    expect(rewardStamp((() => () => [])())).toMatchObject({ name: 'anonymous' });
  });

  test.each([
    ['too few', () => [1], '1 values'],
    ['no list', () => 1 as never, '1'],
    ['not finite', () => [1, NaN], '[1, NaN]'],
    ['not numbers', () => [1, '0'] as never, '[1, 0]'],
  ] as [string, Reward, string][])('%s: refused in one line', (_, reward, got) => {
    const own = Object.defineProperty(reward, 'name', { value: 'own' });
    expect(() => rewardGroup(own, context)).toThrow(
      `grpo: reward own: expected 2 finite numbers, one an item, got ${got}; mend the reward`,
    );
  });
});

const SHARED: SidIndex = ['a_0 b_0', 'a_0 b_1', 'a_1 b_0', 'a_1 b_1', 'a_2 b_0', 'a_1 b_1'].map((sid) =>
  sid.split(' ').map((code) => `<${code}>`),
); // items 3 and 5 share a SID
const items = SHARED.map((_, i) => ({ title: `item ${i}`, description: '', brand: '', categories: `c${i % 2}` }));

function toy(index: SidIndex): { recommender: Recommender; reference: LanguageModel; dataset: Dataset; rows: Row[] } {
  const tokenizer = wordTokenizer([], index);
  const config = parseShape('qwen2:32x1', tokenizer.vocabSize, 0);
  const [model, reference] = [1, 2].map((seed) => ({ config, weights: randomWeights(config, seed) }));
  const rows = [5, 0, 3].map((target, user) => ({ user: String(user), history: [user, 4], target }));
  const dataset: Dataset = { name: 'toy', dir: '', items, train: rows, valid: rows, test: [] };
  return { recommender: createRecommender(model!, tokenizer, index, 'sids'), reference: reference!, dataset, rows };
}

const SETTINGS: Omit<GrpoTaskOptions, 'reward'> = {
  ...{ numGenerations: 6, beta: 0.05, sampleSize: 0, batchSize: 3, validRows: 3, seed: 1 },
};

describe('items that share a SID are one completion', () => {
  test('the best of their rewards, at the place of the first', () => {
    const [a, b] = [[1, 2], [1, 3]]; // prettier-ignore
    expect(distinctCompletions([a, a, b], [-0.4, 1, -0.2])).toEqual({ completions: [a, b], rewards: [1, -0.2] });
    expect(distinctCompletions([a, b, a], [1, -0.2, -0.4])).toEqual({ completions: [a, b], rewards: [1, -0.2] });
    expect(distinctCompletions([[1], [1, 2], [12]], [1, 2, 3]).completions).toHaveLength(3);
  });

  test('whatever the texts: none twice, none lost, each with its largest reward; distinct ones are untouched', () => {
    const texts = fc.array(fc.tuple(fc.array(fc.nat(3), { minLength: 1, maxLength: 3 }), fc.float({ noNaN: true })));
    fc.assert(
      fc.property(texts, (group) => {
        const [completions, rewards] = [group.map(([text]) => text), group.map(([, reward]) => reward)];
        const found = distinctCompletions(completions, rewards);
        const keys = completions.map((text) => text.join());
        expect(found.completions.map((text) => text.join())).toEqual([...new Set(keys)]);
        found.completions.forEach((text, g) =>
          expect(found.rewards[g]).toBe(Math.max(...rewards.filter((_, i) => keys[i] === text.join()))),
        );
        if (found.completions.length === keys.length) expect(found).toEqual({ completions, rewards });
      }),
    );
  });

  test('items 3 and 5 of one SID, target 5: one text, one advantage, the hit’s', () => {
    const { recommender, reference, dataset, rows } = toy(SHARED);
    const prompt = recommender.render.prompt(rows[0]!.history);
    const ranked = beamSearch(recommender.model, recommender.trie, [prompt], { numBeams: 6 })[0]!.items;
    expect([...ranked].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    const texts = ranked.map((item) => recommender.render.answer(item));
    const group = distinctCompletions(texts, rankingReward({ items: ranked, target: 5 }));
    const shared = group.completions.findIndex((text) => text.join() === recommender.render.answer(5).join());
    expect(group.completions).toHaveLength(5);
    expect(group.rewards[shared]).toBe(1);
    expect(groupAdvantages(group.rewards)[shared]).toBe(Math.max(...groupAdvantages(group.rewards)));
    // the task's loss is that of the distinct group
    const task = grpoTask(recommender, reference, dataset, { ...SETTINGS, reward: 'ranking' });
    const { microBatches } = task.objective([rows[0]!], new Random(1));
    const ofTask = batchGradients(recommender.model, microBatches);
    const distinct = grpoLoss(recommender.model, reference, [{ prompt, ...group }], SETTINGS.beta);
    const byHand = batchGradients(recommender.model, [distinct]);
    expect(ofTask.loss).toBe(byHand.loss);
    tf.dispose([...ofTask.gradients.values(), ...byHand.gradients.values()]);
  });
});

test('what a reward is given, and that hits are counted from items', () => {
  const { recommender, reference, dataset, rows } = toy(SHARED);
  const seen: RewardContext[] = [];
  const spy: Reward = (given) => {
    seen.push({ ...given });
    return given.items.map(() => 1); // no reward says a hit
  };
  const logged = (reward: GrpoTaskOptions['reward']): Record<string, number> => {
    const settings = { ...SETTINGS, numGenerations: 2, reward };
    const { microBatches, metrics } = grpoTask(recommender, reference, dataset, settings).objective(
      rows,
      new Random(1),
    );
    microBatches.forEach((part) => part.dispose());
    return metrics!;
  };
  expect(logged(spy)['groups with a hit']).toBe(logged('rule')['groups with a hit']);
  expect(logged(spy).reward).toBe(1);
  seen.slice(0, 3).forEach((given, r) => {
    const { prompt, ...rest } = given;
    expect(rest).toMatchObject({ target: rows[r]!.target, row: rows[r], texts: items });
    expect(given.tokens).toEqual(given.items.map((item) => recommender.render.answer(item)));
    expect(given.scores).toHaveLength(given.items.length);
    expect(prompt).toContain(SHARED[4]!.join(' '));
  });
});

test('a run under a reward of one’s own: finished is finished, another source is another run', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidlab-reward-'));
  const { reviews, meta } = writeSample({ out: join(folder, 'raw'), size: 'tiny' });
  await filterStage({ reviews, meta, out: folder, dataset: 'tiny' });
  await embedItems({ data: folder });
  await sidStage({ embeddings: join(folder, 'tiny.emb-lsa.npy'), codebookSize: 8 });
  const shared = { data: folder, index: join(folder, 'tiny.index.json'), validRows: 10, batchSize: 8 };
  const start = await sft({ ...shared, run: join(folder, 'sft'), model: 'qwen2:32x1', epochs: 1 });
  const sameCategory: Reward = ({ items, target, texts }) =>
    items.map((item) => Number(texts![item]!.categories === texts![target]!.categories));
  const options = {
    ...shared,
    ...{ run: join(folder, 'grpo'), model: start.model, sampleSize: 16, numGenerations: 4, epochs: 1 },
  };
  const report = await grpo({ ...options, reward: sameCategory });
  expect(report.steps).toBe(2);
  const config = readJson<{ reward: object }>(join(folder, 'grpo', 'config.json'));
  expect(config.reward).toEqual(rewardStamp(sameCategory));
  expect(await grpo({ ...options, reward: sameCategory })).toEqual(report);
  await expect(grpo({ ...options, reward: 'rule' })).rejects.toThrow(/reward is \{"name":"sameCategory".*"rule" here/);
});
