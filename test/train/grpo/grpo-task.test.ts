/** A batch of GRPO's task: prompts, completions, dropout, the scorer, what it logs. */
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { beamSearch } from '../../../lib/decode/beam-search.js';
import { useEngine } from '../../../lib/engine/engine.js';
import { Random } from '../../../lib/support/random.js';
import { groupAdvantages } from '../../../lib/train/grpo/loss/advantages.js';
import type { Group } from '../../../lib/train/grpo/loss/group.js';
import { grpoLoss } from '../../../lib/train/grpo/loss/grpo-loss.js';
import type { Reward, RewardContext } from '../../../lib/train/grpo/rewards/reward-context.js';
import { rankingReward, ruleReward } from '../../../lib/train/grpo/rewards/rewards.js';
import { distinctCompletions } from '../../../lib/train/grpo/rollout/rolled-groups.js';
import type { Scorer } from '../../../lib/evaluate/scorer.js';
import type { LoggedGroup } from '../../../lib/train/grpo/rollout/rollout-log.js';
import {
  apart,
  batchOf,
  gradientsOf,
  logProbs,
  mean,
  SHARED,
  sidsOf,
  toy,
  type ToyOptions,
  toyTask,
  update,
} from './toy.js';

beforeAll(async () => void (await useEngine()));

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
    await expect(wrong).rejects.toThrow('reward sasrec: expected 3 scores, one an item, got 2');
    const long: Scorer = (histories, items) => histories.map((_, r) => [...items[r]!, 0, 0]);
    const more = update(toyTask(of, { numGenerations: 3 }, { sources: { ...sources, scorer: long } }), of);
    await expect(more).rejects.toThrow('reward sasrec: expected 3 scores, one an item, got 5');
    let calls = 0;
    const fewer: Scorer = (histories, items) => (calls++, histories.slice(1).map((_, r) => items[r]!.map(() => 0)));
    const silent = update(toyTask(of, { numGenerations: 3 }, { sources: { ...sources, scorer: fewer } }), of);
    await expect(silent).rejects.toThrow('reward sasrec: expected 3 scores, one an item, got 0');
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
