/** A batch of GRPO's task: what it is made of, what it logs, what of it goes on to the next update. */
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { beamSearch } from '../../../lib/decode/beam-search.js';
import { useEngine } from '../../../lib/engine/engine.js';
import { Random } from '../../../lib/support/random.js';
import type { GrpoBatch, GrpoTask } from '../../../lib/train/grpo/grpo-task.js';
import { groupAdvantages } from '../../../lib/train/grpo/loss/advantages.js';
import { klIntoRewards, processAdvantages, withAdvantages } from '../../../lib/train/grpo/loss/group-advantages.js';
import type { Group } from '../../../lib/train/grpo/loss/group.js';
import { grpoLoss } from '../../../lib/train/grpo/loss/grpo-loss.js';
import type { Reward, RewardContext } from '../../../lib/train/grpo/rewards/reward-context.js';
import { rankingReward, ruleReward } from '../../../lib/train/grpo/rewards/rewards.js';
import {
  distinctCompletions,
  hasEqualRewards,
  type RolledGroup,
} from '../../../lib/train/grpo/rollout/rolled-groups.js';
import type { Scorer } from '../../../lib/evaluate/scorer.js';
import type { LoggedGroup } from '../../../lib/train/grpo/rollout/rollout-log.js';
import { batchGradients } from '../../../lib/train/loop/gradients.js';
import { apart, gradientsOf, logProbs, mean, SHARED, sidsOf, step, toy, type ToyOptions, toyTask } from './toy.js';

beforeAll(async () => void (await useEngine()));

const batchOf = (task: GrpoTask, update = 0): GrpoBatch => task.batches(0)[update]!;

/** Loss, gradient and log of one update; nothing is changed. */
async function update(task: GrpoTask, of = toy(), at = 0) {
  const objective = await task.objective(batchOf(task, at), new Random(1), at + 1);
  const gradients = gradientsOf(of.model, objective.microBatches);
  return { ...gradients, metrics: (objective.metrics as () => Record<string, number>)() };
}

describe('batches', () => {
  test('every rollout as often as it is trained on', () => {
    const task = toyTask(toy(), { batchSize: 3, numIterations: 2 });
    expect(task.batches(0).map(({ rows, iteration }) => [rows.length, iteration])).toEqual([[3, 0], [3, 1], [1, 0], [1, 1]]); // prettier-ignore
  });

  test('sizes for an estimate: prompts and completions of full length, cut by the budget', () => {
    const of = toy();
    const prompts = of.rows.map(({ history, target }) => of.task.render.prompt(history, target).length);
    const whole = toyTask(of, { numGenerations: 5 });
    expect(whole.batchSizes(batchOf(whole)).tokens).toEqual([prompts.reduce((a, b) => a + b, 0) + 4 * 5]);
    const cut = toyTask(of, { numGenerations: 5, tokenBudget: 2 * (prompts[0]! + 5), sftWeight: 1 });
    expect(cut.batchSizes(batchOf(cut)).tokens.length).toBeGreaterThan(1);
    const first = whole.batchSizes(batchOf(whole)).first(2);
    expect(first.rows).toEqual(batchOf(whole).rows.slice(0, 2));
    const probe = gradientsOf(of.model, whole.probe(first, new Random(1)));
    expect(Math.max(...probe.by.get('model.norm.weight')!.map(Math.abs))).toBeGreaterThan(0);
  });
});

describe('items that share a SID are one completion', () => {
  test('the best of their rewards, at the place of the first', () => {
    const [a, b] = [[1, 2], [1, 3]]; // prettier-ignore
    expect(distinctCompletions([a, a, b], [-0.4, 1, -0.2])).toEqual([1, 2]);
    expect(distinctCompletions([b, a, b], [0, 1, 0])).toEqual([0, 1]);
    expect(distinctCompletions([], [])).toEqual([]);
  });

  test('the update is that of the distinct group, and no text is pushed both ways', async () => {
    const of = toy(SHARED);
    const task = toyTask(of);
    const expected = of.rows.map((row): Group => {
      const prompt = of.task.render.prompt(row.history, row.target);
      const [found] = beamSearch(of.model, of.task.trie!, [prompt], { numBeams: 6 });
      const rewards = rankingReward({ items: found!.items, target: row.target });
      const texts = found!.items.map((item) => of.task.render.answer(item));
      const kept = distinctCompletions(texts, rewards);
      expect(kept).toHaveLength(5);
      return { prompt, completions: kept.map((g) => texts[g]!), advantages: groupAdvantages(kept.map((g) => rewards[g]!)) }; // prettier-ignore
    });
    const byHand = gradientsOf(of.model, grpoLoss(of.model, expected, { beta: 0.05, reference: of.reference }));
    const own = await update(task, of);
    expect(own.loss).toBeCloseTo(byHand.loss, 6);
    expect(apart(own.by, byHand.by)).toBeLessThan(1e-6);
  });
});

test('a task whose answers are one token asks for one', () => {
  const of = toy(sidsOf('a_0', 'a_1', 'a_2', 'a_3', 'a_4', 'a_5'));
  const longest = Math.max(...of.index.map((_, item) => of.task.render.answer(item).length));
  expect([longest, of.task.maxTokens]).toEqual([1, 1]);
});

test('an answer stands for every item that it is the SID of', () => {
  const { task } = toy(SHARED);
  expect([1, 3, 5].map((item) => task.itemsOf(task.render.answer(item)))).toEqual([[1], [3, 5], [3, 5]]);
  expect(task.itemsOf([0, 0, 0])).toEqual([-1]);
});

test.each([
  ['words', 'rule'],
  ['sid2title', 'rouge'],
] as const)('%s of a catalogue of one item ends as its answer does', (template, reward) => {
  const { task } = toy(sidsOf('a_0 b_0'), reward, 'qwen2:32x1', template);
  expect(task.end).toBe(task.render.answer(0).at(-1));
});

describe('dropout', () => {
  test('is of the pass that is learned from, not of the rollout; its masks follow from the state of the run', async () => {
    const of = toy();
    const of4 = { numGenerations: 4, dropout: 0.5 };
    const [plain, masked, again] = [
      await update(toyTask(of, { numGenerations: 4 }), of),
      await update(toyTask(of, of4), of),
      await update(toyTask(of, of4), of),
    ];
    expect(masked.metrics.reward).toBe(plain.metrics.reward);
    expect(masked.metrics.entropy).toBe(plain.metrics.entropy);
    expect(apart(again.by, masked.by)).toBe(0);
    expect(apart(masked.by, plain.by)).toBeGreaterThan(0.1);
    const other = await toyTask(of, of4).objective(batchOf(toyTask(of, of4)), new Random(2), 1);
    expect(apart(gradientsOf(of.model, other.microBatches).by, masked.by)).toBeGreaterThan(0.1);
  });

  test('a ratio is of one pass with itself: 1, whatever the masks', async () => {
    const { metrics } = await update(toyTask(toy(), { dropout: 0.5 }));
    expect([metrics['ratio min'], metrics['ratio max']]).toEqual([1, 1]);
  });

  test.each<ToyOptions>([
    { advantages: 'policy', scaleRewards: 'none' },
    { klIn: 'reward', kl: 'k1', beta: 1 },
  ])('log p without a mask serves %j, and no ratio', async (options) => {
    const of = toy();
    const [plain, masked] = [await update(toyTask(of, options), of), await update(toyTask(of, { ...options, dropout: 0.5 }), of)]; // prettier-ignore
    expect(masked.metrics.reward).toBe(plain.metrics.reward);
    expect([masked.metrics['ratio min'], masked.metrics['ratio max']]).toEqual([1, 1]);
    expect(apart(masked.by, plain.by)).toBeGreaterThan(0.1);
  });
});

describe('the scorer', () => {
  test('is asked once about all groups of a rollout, and says of each what it says of it alone', async () => {
    const of = toy(undefined, 'sasrec');
    const asked: number[] = [];
    const scorer: Scorer = (histories, items) => {
      asked.push(histories.length);
      return histories.map((history, r) => items[r]!.map((item) => item * 0.1 + history.length));
    };
    const sources = { tokenizer: of.tokenizer, index: of.index, texts: of.dataset.items, scorer };
    const { metrics } = await update(toyTask(of, { numGenerations: 3 }, { sources }), of);
    const lists = beamSearch(of.model, of.task.trie!, of.rows.map(({ history, target }) => of.task.render.prompt(history, target)), { numBeams: 3 }); // prettier-ignore
    const alone = lists.flatMap(({ items }, r) => items.map((item) => item * 0.1 + of.rows[r]!.history.length));
    expect(asked).toEqual([of.rows.length]);
    expect(metrics.reward).toBeCloseTo(mean(alone), 12);
    const one = await update(toyTask(of, { numGenerations: 1 }, { sources }), of);
    expect(one.metrics.reward).toBeCloseTo(mean(lists.map(({ items }, r) => items[0]! * 0.1 + of.rows[r]!.history.length)), 12); // prettier-ignore
    const short: Scorer = (histories, items) => histories.map((_, r) => items[r]!.slice(1).map(() => 0));
    const wrong = update(toyTask(of, { numGenerations: 3 }, { sources: { ...sources, scorer: short } }), of);
    await expect(wrong).rejects.toThrow('reward sasrec: expected 3 finite numbers');
    let calls = 0;
    const fewer: Scorer = (histories, items) => (calls++, histories.slice(1).map((_, r) => items[r]!.map(() => 0)));
    const silent = update(toyTask(of, { numGenerations: 3 }, { sources: { ...sources, scorer: fewer } }), of);
    await expect(silent).rejects.toThrow('reward sasrec: expected 3 finite numbers');
    expect(calls).toBe(1);
  });

  test('is asked about items alone, and by nobody where no reward reads it', async () => {
    const seen: RewardContext[] = [];
    const spy: Reward = (given) => (seen.push({ ...given }), given.items.map(() => 0));
    const of = toy(undefined, ['sasrec', spy]);
    const asked: (readonly (readonly number[])[])[] = [];
    const scorer: Scorer = (_, items) => (asked.push(items), items.map((own) => own.map((item) => item / 10)));
    const sources = { tokenizer: of.tokenizer, index: of.index, scorer };
    await update(toyTask(of, { rollout: 'free', numGenerations: 6, temperature: 3 }, { sources }), of);
    const known = seen.map(({ items }) => items.filter((item) => item >= 0));
    expect(known.some(({ length }) => length === 0) && known.some(({ length }) => length > 0)).toBe(true);
    expect(asked).toEqual([known.filter(({ length }) => length > 0)]);
    expect(seen.map(({ scored }) => scored)).toEqual(known.map((items) => items.map((item) => item / 10)));
    const rule = toy(undefined, 'rule');
    await update(toyTask(rule, { numGenerations: 2 }, { sources }), rule);
    expect(asked).toHaveLength(1);
  });
});

describe('what a batch logs', () => {
  test.each(['rule', 'ranking'] as const)('under the %s reward', async (reward) => {
    const of = toy(undefined, reward);
    const { metrics } = await update(toyTask(of, { numGenerations: 3 }), of);
    const lists = beamSearch(of.model, of.task.trie!, of.rows.map(({ history, target }) => of.task.render.prompt(history, target)), { numBeams: 3, withEntropy: true }); // prettier-ignore
    const hits = lists.map(({ items }, r) => items.indexOf(of.rows[r]!.target) + 1);
    const score = { rule: ruleReward, ranking: rankingReward }[reward];
    const rewards = lists.map(({ items }, r) => score({ items, target: of.rows[r]!.target }));
    expect(hits.some((rank) => rank > 0) && hits.some((rank) => rank === 0)).toBe(true);
    expect(metrics['groups with a hit']).toBeCloseTo(mean(hits.map((rank) => Number(rank > 0))), 12);
    expect(metrics['rollout HR@10']).toBe(metrics['groups with a hit']);
    expect(metrics['rollout NDCG@10']).toBeCloseTo(mean(hits.map((rank) => (rank > 0 ? 1 / Math.log2(rank + 1) : 0))), 12); // prettier-ignore
    expect(metrics.reward).toBeCloseTo(mean(rewards.flat()), 12);
    const variance =
      rewards.flat().reduce((sum, r) => sum + (r - metrics.reward!) ** 2, 0) / (rewards.flat().length - 1);
    expect(metrics['reward std']).toBeCloseTo(Math.sqrt(variance), 12);
    expect(metrics['groups with equal rewards']).toBeCloseTo(mean(hits.map((rank) => Number(rank === 0))), 12);
    expect(metrics['distinct items']).toBe(new Set(lists.flatMap(({ items }) => items)).size);
    expect(metrics['distinct first codes']).toBe(new Set(lists.flatMap(({ items }) => items.map((item) => of.index[item]![0]))).size); // prettier-ignore
    expect(metrics).toMatchObject({ completions: 12, 'completion tokens': 2, 'ratio min': 1, 'ratio max': 1 });
    expect(metrics.entropy).toBeCloseTo(mean(lists.map(({ entropy }) => entropy!)), 12);
    const kl = lists.flatMap(({ items }, r) =>
      items.flatMap((item) => {
        const { history, target } = of.rows[r]!;
        const [policy, fixed] = [of.model, of.reference].map((one) => logProbs(one, of.task.render.prompt(history, target), of.task.render.answer(item))); // prettier-ignore
        return policy!.map((log, i) => Math.exp(fixed![i]! - log) - (fixed![i]! - log) - 1);
      }),
    );
    expect(metrics.kl).toBeCloseTo(mean(kl), 5);
  });

  test('a right answer that was put in is no hit', async () => {
    const of = toy(undefined, 'rule');
    const [found, given] = [await update(toyTask(of, { numGenerations: 3 }), of), await update(toyTask(of, { numGenerations: 3, addGroundTruth: true }), of)]; // prettier-ignore
    for (const name of ['groups with a hit', 'rollout HR@10', 'rollout NDCG@10']) expect(given.metrics[name]).toBe(found.metrics[name]); // prettier-ignore
    expect(found.metrics['groups with a hit']).toBeLessThan(1);
    expect(given.metrics['groups with equal rewards']).toBe(0);
  });

  test('what a reward is given, and that hits are counted from items', async () => {
    const seen: RewardContext[] = [];
    const spy: Reward = (given) => {
      seen.push({ ...given });
      return given.items.map(() => 1); // no reward says a hit
    };
    const of = toy(SHARED, spy);
    const spied = await update(toyTask(of, { numGenerations: 2 }), of);
    const rule = toy(SHARED, 'rule');
    const ruled = await update(toyTask(rule, { numGenerations: 2 }), rule);
    expect(spied.metrics['groups with a hit']).toBe(ruled.metrics['groups with a hit']);
    expect(spied.metrics.reward).toBe(1);
    seen.forEach((given, r) => {
      const row = of.rows[r]!;
      expect(given).toMatchObject({ target: row.target, row, texts: of.dataset.items, task: 'sids', index: SHARED });
      expect(given.tokens).toEqual(given.items.map((item) => of.task.render.answer(item)));
      expect(given.expectedTokens).toEqual(of.task.render.answer(row.target));
      expect(given.expected).toBe(SHARED[row.target]!.join(' '));
      expect(given.answers).toEqual(given.items.map((item) => SHARED[item]!.join(' ')));
      expect(given.scores).toHaveLength(given.items.length);
      expect(given.prompt).toContain(SHARED[4]!.join(' '));
    });
  });

  test('groups of a rollout, with titles, rewards and advantages', async () => {
    const logged: LoggedGroup[] = [];
    const of = toy(SHARED, 'rule,hierarchical:0.5');
    const task = toyTask(of, { logRollouts: 2 }, { onRollout: (groups) => logged.push(...groups) });
    await update(task, of);
    expect(logged.map(({ step, user, target }) => [step, user, target])).toEqual([[1, '0', 5], [1, '1', 0]]); // prettier-ignore
    const [first] = logged;
    expect(first!.items.flat().sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(first!.titles).toEqual(first!.items.map(([item]) => `item ${item}`));
    const place = first!.items.findIndex((items) => items.includes(5));
    expect(first!.reward[place]).toBe(1.5);
    expect(first!.rewards.rule![place]).toBe(1);
    expect(first!.advantages).toEqual(groupAdvantages(first!.reward));
    const { tokenizer, index } = of;
    const bare = toyTask(of, { logRollouts: 1 }, { onRollout: (groups) => logged.push(...groups), sources: { tokenizer, index } }); // prettier-ignore
    await update(bare, of);
    expect(logged.at(-1)).not.toHaveProperty('titles'); // a data set without items
    const never = vi.fn();
    await update(toyTask(of, { logRollouts: 0 }, { onRollout: never }), of);
    expect(never).not.toHaveBeenCalled();
  });
});

test('an answer’s text is told without the end', async () => {
  const seen: RewardContext[] = [];
  const spy: Reward = (given) => {
    seen.push({ ...given });
    return given.items.map((_, i) => i);
  };
  const of = toy(undefined, spy, 'qwen2:32x1', 'words');
  await update(toyTask(of, { numGenerations: 2 }), of);
  expect(of.task.end).toBeDefined();
  expect(seen[0]!.expected).toBe(of.index[of.rows[0]!.target]!.join(' '));
  expect(seen[0]!.answers).toEqual(seen[0]!.items.map((item) => of.index[item]!.join(' ')));
});

test('a task that answers in words: its texts are no items', () => {
  const { kind, trie, itemsOf, end, maxTokens, render } = toy(undefined, 'rouge', 'qwen2:32x1', 'sid2title').task;
  expect([kind, trie, itemsOf([1, 2]), maxTokens]).toEqual(['texts', undefined, [-1], 8]);
  expect(end).toBe(render.answer(0).at(-1));
});

describe('groups whose rewards are equal', () => {
  const first: Reward = ({ items, row }) => items.map((_, i) => (row.user === '0' && i === 0 ? 1 : 0));

  test('masked: the update is that of the others alone', async () => {
    const of = toy(undefined, first);
    const masked = await update(toyTask(of, { equalGroups: 'mask' }), of);
    const alone = await update(toyTask({ ...of, rows: of.rows.slice(0, 1) }), of);
    expect(masked.loss).toBeCloseTo(alone.loss, 6);
    expect(apart(masked.by, alone.by)).toBeLessThan(1e-6);
    expect(masked.metrics).toMatchObject({ 'groups trained': 1, 'groups with equal rewards': 0.75 });
    expect(masked.metrics).not.toHaveProperty(['groups redrawn']);
    const none: Reward = ({ items }) => items.map(() => 0);
    const still = await update(toyTask(toy(undefined, none), { equalGroups: 'mask' }), of);
    expect(still.loss).toBe(0);
  });

  test('drawn anew: other rows in their place, in rounds, until there are as many', async () => {
    const of = toy(undefined, first);
    const { metrics } = await update(toyTask(of, { equalGroups: 'redraw', rollout: 'sample' }), of);
    expect(metrics['groups trained']).toBeGreaterThan(1);
    expect(metrics['groups trained']).toBeLessThanOrEqual(4);
    expect(metrics['groups redrawn']).toBeGreaterThanOrEqual(3);
    expect(metrics['groups redrawn']).toBeLessThanOrEqual(9);
  });

  test('as many rows as there were such groups', async () => {
    let made = 0;
    const later: Reward = ({ items }) => (made++, items.map((_, i) => (made === 1 || made > 4 ? i : 0))); // the first, and all of the second round
    const of = toy(undefined, later);
    const { metrics } = await update(toyTask(of, { equalGroups: 'redraw', rollout: 'sample' }), of);
    expect(metrics).toMatchObject({ 'groups trained': 4, 'groups redrawn': 3 });
  });

  test('three rounds at the most', async () => {
    const of = toy(undefined, (({ items }) => items.map(() => 1)) as Reward);
    const { metrics } = await update(toyTask(of, { equalGroups: 'redraw' }), of);
    expect(metrics).toMatchObject({ 'groups trained': 0, 'groups redrawn': 12 });
    const one = { ...of, rows: of.rows.slice(0, 1) };
    expect((await update(toyTask(one, { equalGroups: 'redraw' }), of)).metrics['groups redrawn']).toBe(3);
    const rows = (epoch: number) => of.rows.flatMap((row) => (epoch === 0 ? [{ task: 0, row }] : [])); // all are in the first epoch
    expect((await update(toyTask(of, { equalGroups: 'redraw' }, { rows }), of)).metrics['groups redrawn']).toBe(12);
  });

  test('all numbers of all tokens', () => {
    const of = (total: number[], perToken?: number[][]) =>
      hasEqualRewards({ rewards: { total, each: {}, ...(perToken && { perToken }) } } as RolledGroup);
    expect([of([1, 1]), of([1, 2]), of([0, 0], [[1, 1], [1]]), of([0, 0], [[1, 0], [1, 0]])]).toEqual([true, false, true, false]); // prettier-ignore
  });
});

test('the answers of fine-tuning go through the model where they have a weight', async () => {
  const of = toy(undefined, 'rule');
  const made = await Promise.all(
    [0, 0.5].map(async (sftWeight) => {
      const options = { sftWeight, numGenerations: 4, beta: 0.05 };
      const { microBatches } = await toyTask(of, options).objective(batchOf(toyTask(of)), new Random(1), 1);
      const parts = [...microBatches];
      const tokens = parts.map((part) => part.tokens);
      return { tokens, loss: gradientsOf(of.model, parts).loss };
    }),
  );
  const lists = of.rows.map(({ history, target }) => ({ prompt: of.task.render.prompt(history, target), answer: of.task.render.answer(target) })); // prettier-ignore
  const likelihoods = lists.flatMap(({ prompt, answer }) => logProbs(of.model, prompt, answer));
  expect(made[1]!.loss - made[0]!.loss).toBeCloseTo(-0.5 * mean(likelihoods), 5);
  const beams = beamSearch(of.model, of.task.trie!, lists.map(({ prompt }) => prompt), { numBeams: 4 }); // prettier-ignore
  const firsts = beams.map(({ items }) => new Set(items.map((item) => of.index[item]![0])).size);
  expect(made[0]!.tokens).toEqual([lists.reduce((sum, { prompt }, r) => sum + prompt.length + firsts[r]!, 0)]);
  expect(made[1]!.tokens[0]).toBeGreaterThan(made[0]!.tokens[0]!);
});

describe('several updates a rollout', () => {
  const options: ToyOptions = { numIterations: 3, rollout: 'sample', normalize: 'legal' };

  test('the later ones are on the same groups, whose ratios have moved', async () => {
    const of = toy();
    const task = toyTask(of, options);
    const ratios: number[] = [];
    for (let at = 0; at < 3; at++) {
      const { microBatches, metrics } = await task.objective(batchOf(task, at), new Random(at), at + 1);
      step(of.model, batchGradients(of.model, microBatches), 0.5);
      const logged = (metrics as () => Record<string, number>)();
      ratios.push(logged['ratio max']!);
      expect('reward' in logged).toBe(at === 0);
    }
    expect(ratios[0]).toBe(1);
    expect(ratios[2]).toBeGreaterThan(ratios[1]!);
  });

  test.each([1, 2])('of %d updates groups are kept for a checkpoint where another one follows', (numIterations) => {
    const folder = mkdtempSync(join(tmpdir(), 'sidlab-kept-'));
    const task = toyTask(toy(), { numIterations });
    task.state.save(folder);
    expect(readdirSync(folder)).toEqual(numIterations === 1 ? [] : ['rollout.json']);
    expect(() => task.state.restore(folder)).not.toThrow();
  });

  test('what is kept goes through a checkpoint, bit for bit', async () => {
    const of = toy();
    const task = toyTask(of, options);
    await update(task, of);
    const folder = mkdtempSync(join(tmpdir(), 'sidlab-kept-'));
    task.state.save(folder);
    const fresh = toyTask(of, options);
    fresh.state.restore(folder);
    tf.tidy(() => {
      const norm = of.model.weights.get('model.norm.weight')!;
      norm.assign(norm.mul(1.1));
    });
    const [whole, resumed] = [await update(task, of, 1), await update(fresh, of, 1)];
    expect(resumed.loss).toBe(whole.loss);
    expect(resumed.by).toEqual(whole.by);
    expect(resumed.metrics['ratio max']).toBe(whole.metrics['ratio max']);
    expect(resumed.metrics['ratio max']).not.toBe(1);
  });
});

describe('the KL', () => {
  test('in the reward: lowered by beta times the sum over tokens', () => {
    const group = {
      rewards: { total: [1, 0], each: {} },
      old: [[-1, -2], [-3]],
      reference: [[-2, -2], [-1]],
    } as unknown as RolledGroup;
    expect(klIntoRewards([group], 0.5, 'k1')).toBeCloseTo((1 + 0 - 2) / 3, 12);
    expect(group.rewards.total).toEqual([0.5, 1]);
    expect(klIntoRewards([], 1, 'k3')).toBe(0);
  });

  test('in the reward it has no gradient of its own, and the policy comes no nearer by equal completions', async () => {
    const of = toy(undefined, (({ items }) => items.map(() => 0)) as Reward);
    const { metrics, by } = await update(toyTask(of, { klIn: 'reward', kl: 'k1', beta: 0.2, numGenerations: 4 }), of);
    expect(metrics.kl).not.toBe(0);
    expect(metrics['reward std']).toBe(0); // what was rewarded, before the KL
    expect(Math.max(...by.get('model.norm.weight')!.map(Math.abs))).toBeGreaterThan(0);
  });

  test.each([0, 0.2, 1])(
    'in the reward, beta %f: the update is that of lowered rewards, without a KL in the loss',
    async (beta) => {
      const of = toy(undefined, ({ items, target }) => items.map((item) => Number(item === target)));
      const own = await update(toyTask(of, { klIn: 'reward', kl: 'k1', beta, numGenerations: 4 }), of);
      const expected = of.rows.map((row): Group => {
        const prompt = of.task.render.prompt(row.history, row.target);
        const [found] = beamSearch(of.model, of.task.trie!, [prompt], { numBeams: 4 });
        const completions = found!.items.map((item) => of.task.render.answer(item));
        const rewards = completions.map((completion, g) => {
          const [policy, fixed] = [of.model, of.reference].map((one) => logProbs(one, prompt, completion));
          const kl = policy!.reduce((sum, log, i) => sum + log - fixed![i]!, 0);
          return Number(found!.items[g] === row.target) - beta * kl;
        });
        return { prompt, completions, advantages: groupAdvantages(rewards) };
      });
      const byHand = gradientsOf(of.model, grpoLoss(of.model, expected));
      expect(own.loss).toBeCloseTo(byHand.loss, 5);
      expect(apart(own.by, byHand.by)).toBeLessThan(1e-4);
      expect('kl' in own.metrics).toBe(beta > 0);
    },
  );

  test('of beta 0 asks no reference', async () => {
    const { tasks: _tasks, ...of } = { ...toy(), tasks: 0 };
    const task = toyTask(of, { beta: 0 }, { reference: undefined as never });
    expect((await update(task, of)).metrics).not.toHaveProperty('kl');
  });
});

describe('advantages of groups', () => {
  const group = (more: Partial<RolledGroup>): RolledGroup =>
    ({ prompt: [1], completions: [[1, 2], [3]], ended: [true, true], rewards: { total: [1, 0], each: {} }, ...more }) as RolledGroup; // prettier-ignore

  test('a reward a token: scaled over the group, then the sum of what follows, beside the completion’s', () => {
    const rewards = [[1, 0], [0, 0]]; // prettier-ignore
    const scale = 1 / (0.5 + 1e-4);
    const expected = [[0.5, -0.25], [-0.5, -0.25]].map((own) => own.map((x) => x * scale)); // prettier-ignore
    processAdvantages(rewards).forEach((own, g) => own.forEach((x, i) => expect(x).toBeCloseTo(expected[g]![i]!, 12)));
    const perToken = [[1, 0], [0]]; // prettier-ignore
    const [own] = withAdvantages(
      [group({ rewards: { total: [1, 0], perToken, each: {} } })],
      {},
      { maskTruncated: false },
    );
    const [hit, miss] = groupAdvantages([1, 0]);
    const process = processAdvantages(perToken);
    expect(own!.advantages).toEqual([process[0]!.map((x) => hit! + x), process[1]!.map((x) => miss! + x)]);
  });

  test('what a group knows stays with it, and nothing is made up', () => {
    const known = { answer: [4, 5], old: [[-1, -2], [-3]], reference: [[-2, -1], [-4]] }; // prettier-ignore
    expect(withAdvantages([group(known)], {}, { maskTruncated: false })[0]).toMatchObject(known);
    expect(Object.keys(withAdvantages([group({})], {}, { maskTruncated: false })[0]!).sort()).toEqual(['advantages', 'completions', 'prompt']); // prettier-ignore
  });

  test('texts that ran out of tokens do not count, where that is asked for', () => {
    const of = (ended: boolean[], maskTruncated: boolean) => withAdvantages([group({ ended })], {}, { maskTruncated })[0]!; // prettier-ignore
    expect(of([true, false], true).counts).toEqual([true, false]);
    expect(of([true, false], false)).not.toHaveProperty('counts');
    expect(of([true, true], true)).not.toHaveProperty('counts');
  });
});

describe('seconds', () => {
  /** The only clock: a prompt moves it by a second, a group's rewards by 10, the reference by 100, a part by 1000. */
  let now: number;
  const moved = <T>(seconds: number, value: T): T => {
    now += 1000 * seconds;
    return value;
  };
  beforeEach(() => {
    now = 5e6;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
  });
  afterEach(() => vi.restoreAllMocks());

  /** @param worth what the rewards of a group of six are */
  async function secondsOf(worth: number[], options: ToyOptions) {
    const of = toy(undefined, (({ items }) =>
      moved(
        10,
        items.map((_, i) => worth[i]!),
      )) as Reward);
    const { render } = of.task;
    of.task.render = { ...render, prompt: (...given) => moved(1, render.prompt(...given)) };
    let asked = false;
    const model = {
      config: of.reference.config,
      get weights() {
        if (!asked) moved(100, (asked = true));
        return of.reference.weights;
      },
    };
    const task = toyTask(of, options, { reference: { model, dispose: () => {} } });
    const { microBatches, metrics } = await task.objective(batchOf(task), new Random(1), 1);
    expect((metrics as () => Record<string, number>)()['seconds policy']).toBe(0); // nothing is computed yet
    let parts = 0;
    for (const part of microBatches) {
      part.dispose();
      parts = moved(1000, parts + 1);
      asked = false;
    }
    const all = (metrics as () => Record<string, number>)();
    return { parts, ...Object.fromEntries(Object.entries(all).filter(([name]) => name.startsWith('seconds'))) };
  }

  const six = [0, 1, 2, 3, 4, 5];
  test.each<[string, number[], ToyOptions, object]>([
    ['all of it', six, {}, { parts: 1, rollout: 4, rewards: 40, reference: 100, policy: 1000 }],
    ['in parts', six, { tokenBudget: 1 }, { parts: 24, rollout: 4, rewards: 40, reference: 2400, policy: 24000 }],
    [
      'the KL in the reward',
      six,
      { klIn: 'reward' },
      { parts: 1, rollout: 4, rewards: 40, reference: 100, policy: 1000 },
    ],
    ['no KL', six, { beta: 0 }, { parts: 1, rollout: 4, rewards: 40, policy: 1000 }],
    ['drawn anew in three rounds', six.map(() => 0), { beta: 0, equalGroups: 'redraw' }, { parts: 0, rollout: 16, rewards: 160, policy: 0 }], // prettier-ignore
  ])('%s', async (_, worth, options, expected) => {
    const { parts, ...seconds } = Object.fromEntries(
      Object.entries(expected).map(([name, value]) => [name === 'parts' ? name : `seconds ${name}`, value as number]),
    );
    const own = await secondsOf(worth, options);
    expect(own).toEqual({ parts, ...seconds });
  });
});
