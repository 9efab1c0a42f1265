/** Rewards: the kit's by hand, lists of them, functions of one's own, and what a run's configuration says of them. */
import fc from '../../fast-check.js';
import { describe, expect, test } from 'vitest';
import { countTrain } from '../../../lib/data/counts.js';
import type { Row } from '../../../lib/data/dataset.js';
import { GRPO_OPTIONS } from '../../../lib/train/grpo/grpo-options.js';
import type { Reward, RewardContext } from '../../../lib/train/grpo/rewards/reward-context.js';
import { normalizedSum, rewardGroup } from '../../../lib/train/grpo/rewards/reward-group.js';
import {
  functionStamp,
  type RewardGiven,
  rewardParts,
  rewardStamp,
} from '../../../lib/train/grpo/rewards/reward-list.js';
import {
  diversityReward,
  hierarchicalReward,
  noveltyReward,
  rankingOnlyReward,
  rankingReward,
  REWARD_NAMES,
  REWARDS,
  ruleReward,
  scorerReward,
  semanticReward,
  tokenReward,
  transitionReward,
} from '../../../lib/train/grpo/rewards/rewards.js';
import { cosineReward, formatReward, rougeReward } from '../../../lib/train/grpo/rewards/text-rewards.js';
import { sidsOf } from './toy.js';

const row: Row = { user: 'u', history: [1], target: 1 };
const context: RewardContext = {
  ...{ items: [0, 1], target: 1, row, prompt: 'next', answers: ['a tea cup', 'tea'], expected: 'tea cup' },
  ...{ tokens: [[4, 5], [4, 6]], expectedTokens: [4, 6], index: sidsOf('a b', 'a c') }, // prettier-ignore
  vectors: { rows: 2, width: 2, data: Float32Array.of(3, 4, 4, 3) },
  counts: countTrain([row]),
  scorer: (_, items) => items.map((of) => of.map((item) => 10 * item)),
  embed: (texts) => ({ rows: texts.length, width: 1, data: Float32Array.from(texts, () => 2) }),
};
const parts = (given: RewardGiven) => rewardParts(given)!;

describe('by hand', () => {
  test('diversity: the mean distance by leading codes to the others', () => {
    const index = sidsOf('a1 b2', 'a1 b3', 'a4 b2', 'a1 b2 c1');
    expect(diversityReward({ items: [0, 1, 2], index })).toEqual([0.75, 0.75, 1]);
    expect(diversityReward({ items: [2, 0], index })).toEqual([1, 1]);
    for (const own of diversityReward({ items: [3, 0], index })) expect(own).toBeCloseTo(1 / 3, 12); // two of three codes
    expect(diversityReward({ items: [1], index })).toEqual([0]);
    expect(diversityReward({ items: [-1, 0, 2], index })).toEqual([0, 1, 1]);
  });

  test('rule and ranking', () => {
    expect(ruleReward({ items: [4, 2, 9], target: 2 })).toEqual([0, 1, 0]);
    const total = 1 + 1 / Math.log2(3) + 1 / 2;
    const given = { items: [4, 2, 9], target: 2 };
    const near = (values: number[]) => values.map((x) => x.toFixed(12));
    expect(near(rankingReward(given))).toEqual(near([-1 / total, 1, -0.5 / total]));
    expect(near(rankingOnlyReward(given))).toEqual(near([-1 / total, 0, -0.5 / total]));
  });

  test('transition: what came after the last item of the history, one more by popularity', () => {
    const after = (target: number, user: string): Row => ({ user, history: [7], target });
    const counts = countTrain([after(4, 'a'), after(4, 'b'), after(4, 'c'), after(5, 'd'), { user: 'e', history: [4], target: 5 }]); // prettier-ignore
    // seen: 7 four times, 4 four times, 5 twice
    const shares = [3 + 4.1 / 10, 1 + 2.1 / 10, 4.1 / 10, 0.1 / 10].map((count) => Math.log(count / 5));
    const ofUnseen = [4.1 / 10, 0.1 / 10].map(Math.log);
    const given = { counts, row: { user: 'x', history: [4, 7], target: 5 } };
    const near = (values: number[]) => values.map((x) => x.toFixed(12));
    expect(near(transitionReward({ ...given, items: [4, 5, 7, 9] }))).toEqual(near(shares));
    expect(near(transitionReward({ ...given, items: [4, 5, 7, 9], row: { ...given.row, history: [4, 9, 7] } }))).toEqual(near(shares)); // prettier-ignore
    expect(near(transitionReward({ ...given, items: [4, -1], row: { ...given.row, history: [] } }))).toEqual(near(ofUnseen)); // prettier-ignore
  });

  test('transition: from nothing, of nothing, of one item', () => {
    const of = (train: Row[], history: number[], items: number[]) =>
      transitionReward({ counts: countTrain(train), row: { user: 'x', history, target: 0 }, items }).map(Math.exp);
    const close = (values: number[], expected: number[]) => values.forEach((x, i) => expect(x).toBeCloseTo(expected[i]!, 12)); // prettier-ignore
    const circle = [0, 1, 2].map((item): Row => ({ user: `${item}`, history: [item], target: (item + 1) % 3 }));
    close(of(circle, [], [0, 1, 2]), [2.1 / 6, 2.1 / 6, 2.1 / 6]); // after nothing came nothing: popularity alone
    close(of([], [3], [3, 4]), [0.1, 0.1]);
    close(of([{ user: 'u', history: [], target: 3 }], [3], [3, 4]), [1.1, 0.1]);
  });

  test('novelty: what the history does not hold', () => {
    expect(noveltyReward({ items: [4, 5, 7, -1], row: { user: 'u', history: [7, 4], target: 4 } })).toEqual([
      0, 1, 0, 0,
    ]);
  });

  test('a group without a hit is rewarded with nothing; a miss is charged more the higher it stands', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 50 }), { minLength: 2 }), (items) => {
        for (const of of [rankingReward, rankingOnlyReward, ruleReward]) expect(of({ items, target: 99 })).toEqual(items.map(() => 0)); // prettier-ignore
      }),
    );
    const [first, second, third] = rankingReward({ items: [1, 2, 3, 4], target: 4 });
    expect(first).toBeLessThan(second!);
    expect(second).toBeLessThan(third!);
  });

  test.each<[string, string[], number[]]>([
    ['a b c', ['a b c', 'a b d', 'a x c', 'x b c'], [1, 0.5, 0.2, 0]],
    ['a b', ['a b', 'a c', 'c b'], [1, 0.2, 0]],
    ['a b c d', ['a b c x', 'a b x d', 'a b c d'], [0.5, 0.5, 1]],
    ['a', ['a', 'b'], [1, 0]],
    ['a b', ['a b c', 'a'], [0.5, 0.2]],
  ])('hierarchical: target %s, items %j', (target, items, expected) => {
    const index = sidsOf(target, ...items);
    expect(hierarchicalReward({ items: items.map((_, i) => i + 1), target: 0, index })).toEqual(expected);
    expect(hierarchicalReward({ items: [-1], target: 0, index })).toEqual([0]); // a text that is no item
  });

  test('a number a token: right so far', () => {
    expect(tokenReward({ tokens: [[4, 7, 1], [4, 7, 2], [5, 7, 1], [4, 6, 1], [4]], expectedTokens: [4, 7, 1] })).toEqual([[1, 1, 1], [1, 1, 0], [0, 0, 0], [1, 0, 0], [1]]); // prettier-ignore
  });

  test('semantic: the cosine; nothing of a vector of zeros or a text that is no item', () => {
    const vectors = { rows: 3, width: 2, data: Float32Array.of(3, 4, 4, 3, 0, 0) };
    const [other, own, zero, none] = semanticReward({ items: [0, 1, 2, -1], target: 1, vectors });
    expect(other).toBeCloseTo(0.96, 6);
    expect(own).toBeCloseTo(1, 6);
    expect([zero, none]).toEqual([0, 0]);
  });

  test('sasrec: the scorer after the history; a text that is no item has the lowest score', async () => {
    const asked: unknown[] = [];
    const scorer = (histories: unknown, items: readonly (readonly number[])[]) => {
      asked.push(histories, items);
      return Promise.resolve(items.map((of) => Float64Array.from(of, (item) => 10 - item)));
    };
    expect(await scorerReward({ items: [7, -1, 3], row, scorer })).toEqual([3, 3, 7]);
    expect(asked).toEqual([[[1]], [[7, 3]]]);
    expect(await scorerReward({ items: [-1], row, scorer })).toEqual([0]);
    expect(await scorerReward({ items: [0, 1, -1], row, scorer })).toEqual([10, 9, 9]); // item 0 is an item
    const before = asked.length;
    expect(await scorerReward({ items: [7, -1, 3], row, scorer, scored: [5, 2] })).toEqual([5, 2, 2]);
    expect(asked).toHaveLength(before); // what was asked about all groups at once is not asked again
    const silent = rewardGroup(parts('sasrec'), { ...context, scorer: () => [] });
    await expect(silent).rejects.toThrow('grpo: reward sasrec: expected 2 scores, one an item, got 0');
  });

  test('format, ROUGE and cosine of texts', async () => {
    expect(formatReward({ items: [7, -1] })).toEqual([1, -1]);
    expect(rougeReward({ answers: ['a tea cup', 'tea', 'pot'], expected: 'tea cup' }).map((x) => x.toFixed(4))).toEqual(['0.8000', '0.6667', '0.0000']); // prettier-ignore
    const embed = (texts: readonly string[]) => ({ rows: texts.length, width: 2, data: Float32Array.from(texts.flatMap((text) => (text === 'x' ? [3, 4] : [4, 3]))) }); // prettier-ignore
    const [one, other] = await cosineReward({ answers: ['x', 'y'], expected: 'y', embed });
    expect(one).toBeCloseTo(0.96, 6);
    expect(other).toBeCloseTo(1, 6);
  });
});

describe('named rewards', () => {
  test.each(REWARD_NAMES)('%s: documented, and one finite number a completion', async (name) => {
    expect(REWARDS[name].help).not.toBe('');
    expect(GRPO_OPTIONS.options.reward.help).toContain(REWARDS[name].help);
    expect(rewardStamp(parts(name))).toBe(name);
    const { total, each, perToken } = await rewardGroup(parts(name), context);
    expect([total.length, each[name]!.length]).toEqual([2, 2]);
    expect(perToken !== undefined).toBe(name === 'token');
  });

  test('what reward may be', () => {
    const given = { data: 'd', model: 'm' };
    expect(GRPO_OPTIONS.parse(given).reward).toBe('ranking');
    for (const reward of [
      ruleReward,
      'rule,semantic:0.5',
      ['rule', { reward: ruleReward, weight: -2 }],
    ] as RewardGiven[]) {
      expect(GRPO_OPTIONS.parse({ ...given, reward }).reward).toBe(reward);
    }
    expect(() => GRPO_OPTIONS.parse({ ...given, reward: 'rule,rule' })).toThrow(
      'grpo: expected reward to be rewards of different names (two are called rule), got "rule,rule"',
    );
    for (const reward of ['rank', 3, {}, null, [], 'rule,', 'rule:x', 'rule:0', 'rule:1:2', 'rule:', ['rule', 3]]) {
      expect(() => GRPO_OPTIONS.parse({ ...given, reward: reward as never })).toThrow(
        /^grpo: expected reward to be one of rule, ranking, .*, or some of them with weights \(rule:1,semantic:0\.5\), got /,
      );
    }
    expect(() => GRPO_OPTIONS.parse({ ...given, reward: 'rankin' })).toThrow('did you mean ranking?');
  });
});

describe('lists', () => {
  test('weighted sums, with every reward by name; those a token apart', async () => {
    const own: Reward = ({ items }) => items.map((item) => item + 1);
    const group = await rewardGroup(parts(['rule', { reward: own, weight: 0.5 }, { reward: 'token', weight: 2 }]), context); // prettier-ignore
    expect(group.total).toEqual([0.5, 2]);
    expect(group.each).toEqual({ rule: [0, 1], own: [1, 2], token: [1, 2] });
    expect(group.perToken).toEqual([[2, 0], [2, 2]]); // prettier-ignore
    expect(group.sum).toEqual([2.5, 6]);
    expect(group.ofTokens).toEqual({ names: ['token'], share: 2 / 1.5 });
    expect((await rewardGroup(parts('rule:2,format:-1'), context)).total).toEqual([-1, 1]);
  });

  test('typed arrays are lists; what one throws names it, and the row', async () => {
    const floats = (() => Float32Array.of(1, 2)) as unknown as Reward;
    expect((await rewardGroup(parts([floats]), context)).total).toEqual([1, 2]);
    const tokens = (({ tokens }: RewardContext) =>
      tokens!.map((own) => Float32Array.from(own, () => 1))) as unknown as Reward;
    expect((await rewardGroup(parts([tokens]), context)).perToken).toEqual(
      context.tokens!.map((own) => own.map(() => 1)),
    );
    const mine: Reward = () => {
      throw new TypeError('no such field');
    };
    await expect(rewardGroup(parts([mine]), context)).rejects.toThrow(
      /^grpo: reward mine: no such field \(.*the row of user "u"\)$/,
    );
    const late: Reward = () => Promise.reject(new Error('too late'));
    await expect(rewardGroup(parts([late]), context)).rejects.toThrow(/^grpo: reward late: too late/);
  });

  test('each scaled by the group before the sum', () => {
    const each = { rule: [0, 1, 0], own: [100, 0, 50] };
    const own: Reward = () => [];
    const sums = normalizedSum(parts(['rule', { reward: own, weight: 2 }]), { each, total: [0, 0, 0] });
    const scale = (of: number[]) => {
      const mean = (of[0]! + of[1]! + of[2]!) / 3;
      const deviation = Math.sqrt(of.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 2);
      return of.map((x) => (x - mean) / (deviation + 1e-4));
    };
    scale(each.rule).forEach((x, i) => expect(sums[i]).toBeCloseTo(x + 2 * scale(each.own)[i]!, 12));
    expect(normalizedSum(parts('rule'), { each: { rule: [1, 1] }, total: [1, 1] })).toEqual([0, 0]);
    const tokens = { each: { own: [3, 0, 0] }, total: [0, 0, 0], ofTokens: { names: ['own'], share: 1 } };
    expect(normalizedSum(parts([own]), tokens)).toEqual([0, 0, 0]); // one a token is scaled by itself
  });

  test('how a configuration holds them', () => {
    const half: Reward = ({ items, target }) => items.map((item) => (item === target ? 0.5 : 0));
    const third: Reward = ({ items, target }) => items.map((item) => (item === target ? 0.3 : 0));
    expect(rewardStamp(parts(half))).toEqual({
      name: 'half',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
    expect(rewardStamp(parts(third))).not.toEqual({ ...(rewardStamp(parts(half)) as object), name: 'third' });
    const sha256 = expect.any(String) as string;
    expect(functionStamp(half)).toStrictEqual({ name: 'half', sha256 });
    expect(functionStamp(Object.assign((x: number) => x, { identity: 'file 1' }))).toMatchObject({
      identity: 'file 1',
    });
    expect(functionStamp(Object.assign((x: number) => x, { identity: 1 }))).not.toHaveProperty('identity');
    expect(rewardStamp(parts((() => () => [])()))).toMatchObject({ name: 'anonymous' });
    expect(rewardStamp(parts('rule:1'))).toBe('rule');
    expect(rewardStamp(parts('rule:2'))).toEqual([{ reward: 'rule', weight: 2 }]);
    expect(rewardStamp(parts(['rule', { reward: half, weight: 0.1 }]))).toEqual(['rule', { reward: functionStamp(half), weight: 0.1 }]); // prettier-ignore
  });
});

describe('a reward of one’s own', () => {
  test('now or later', async () => {
    const later: Reward = ({ items }) => new Promise((resolve) => setTimeout(() => resolve(items.map(() => 7)), 1));
    expect((await rewardGroup(parts(later), context)).total).toEqual([7, 7]);
  });

  test.each([
    ['too few', () => [1], '1 values'],
    ['no list', () => 1 as never, '1'],
    ['not finite', () => [1, NaN], '[1, NaN]'],
    ['not numbers', () => [1, '0'] as never, '[1, 0]'],
    ['too few a token', () => [[1, 1], [1]], '[1,1, 1]'],
    ['of both kinds', () => [[1, 1], 1] as never, '[1,1, 1]'],
    ['a text that fits the line', () => 'x'.repeat(80) as never, 'x'.repeat(80)],
    ['one that does not', () => 'x'.repeat(81) as never, `${'x'.repeat(77)}...`],
  ] as [string, Reward, string][])('%s: refused in one line', async (_, reward, got) => {
    const own = Object.defineProperty(reward, 'name', { value: 'own' });
    await expect(rewardGroup(parts(own), context)).rejects.toThrow(
      `grpo: reward own: expected 2 finite numbers, one an item, got ${got}; mend the reward`,
    );
  });
});
