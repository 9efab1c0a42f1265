/** What is logged of rollouts and of the policy loss, by hand: of nothing, of one, of several that differ. */
import { describe, expect, test } from 'vitest';
import { statistics } from '../../../lib/train/grpo/loss/advantages.js';
import { NO_TOKENS } from '../../../lib/train/grpo/loss/policy-loss.js';
import type { RolledGroup } from '../../../lib/train/grpo/rollout/rolled-groups.js';
import { policyMetrics, rolloutMetrics } from '../../../lib/train/grpo/rollout/rollout-metrics.js';

const group = (more: Partial<RolledGroup>): RolledGroup => ({
  ...{ task: 'sids', row: { user: 'u', history: [], target: 7 }, prompt: [1] },
  ...{ completions: [[4, 5]], items: [[0]], ended: [true], rewards: { total: [1], sum: [1], each: { rule: [1] } } }, // prettier-ignore
  ...{ rank: 0, found: [0], ranked: true },
  ...more,
});
const NOTHING = {
  ...{ reward: 0, 'reward std': 0, 'groups with a hit': 0, 'groups with equal rewards': 0 },
  ...{ completions: 0, 'completion tokens': 0 },
};

describe('of rollouts', () => {
  test('no group', () => {
    expect(rolloutMetrics([])).toStrictEqual(NOTHING);
  });

  test('one group of one item, item 0', () => {
    const found = { 'distinct items': 1, 'distinct first codes': 1, 'rollout HR@10': 1, 'rollout NDCG@10': 1 };
    const one = { ...NOTHING, reward: 1, 'groups with equal rewards': 1, completions: 1, 'completion tokens': 2 };
    expect(rolloutMetrics([group({ rank: 1 })])).toStrictEqual({ ...one, ...found, 'groups with a hit': 1 });
    expect(rolloutMetrics([group({ entropy: 0.5 })])).toStrictEqual({ ...one, ...found, 'rollout HR@10': 0, 'rollout NDCG@10': 0, entropy: 0.5 }); // prettier-ignore
  });

  test('several: means over groups, over completions, over those with items or an entropy', () => {
    const groups = [
      group({
        ...{ completions: [[4, 5, 6], [4, 8]], items: [[3, 9], [5]], ended: [true, true], rank: 2, found: [3, 9, 5] }, // prettier-ignore
        ...{ rewards: { total: [5, -5], sum: [2, 0], each: { rule: [1, 0], own: [2, 0] } }, entropy: 1 },
      }),
      group({ completions: [[8, 5]], items: [[3]], rank: 11, found: [3], entropy: 2 }),
      group({ completions: [[2, 2], [9]], items: [[], []], ended: [false, true], rewards: { total: [4, 4], sum: [4, 4], each: { rouge: [4, 4] } }, found: [-1, -1], ranked: false }), // prettier-ignore
    ];
    const totals = statistics([2, 0, 1, 4, 4]);
    expect(rolloutMetrics(groups)).toStrictEqual({
      ...{ reward: totals.mean, 'reward std': totals.deviation },
      ...{ 'reward rule': 2 / 3, 'reward rule std': statistics([1, 0, 1]).deviation },
      ...{ 'reward own': 1, 'reward own std': Math.SQRT2, 'reward rouge': 4, 'reward rouge std': 0 },
      ...{ 'groups with a hit': 2 / 3, 'groups with equal rewards': 2 / 3 },
      ...{ 'rollout HR@10': 1 / 2, 'rollout NDCG@10': 1 / Math.log2(3) / 2 },
      ...{ 'distinct items': 3, 'distinct first codes': 2, entropy: 1.5 },
      ...{ completions: 5, 'completion tokens': 2, 'completions truncated': 1 - 4 / 5 },
    });
  });

  test('texts that are no items: nothing of ranks', () => {
    const words = group({ items: [[]], found: [-1], ranked: false });
    expect(Object.keys(rolloutMetrics([words])).filter((name) => /rollout|distinct/.test(name))).toEqual([]);
  });

  test('free texts of which none is an item are lists without a hit', () => {
    const hit = group({ rank: 1 });
    const none = group({ items: [[]], found: [-1] });
    expect(rolloutMetrics([hit, none])).toMatchObject({ 'rollout HR@10': 1 / 2, 'rollout NDCG@10': 1 / 2 });
    expect(rolloutMetrics([none])).toMatchObject({ 'rollout HR@10': 0, 'distinct items': 0 });
  });

  test('a reward is named where there are several, or where it is one a token', () => {
    const names = (...rewards: RolledGroup['rewards'][]) =>
      Object.keys(rolloutMetrics(rewards.map((of) => group({ rewards: of })))).filter((name) => /^reward/.test(name));
    const all = (...of: string[]) => ['', ...of.map((name) => ` ${name}`)].flatMap((name) => [`reward${name}`, `reward${name} std`]); // prettier-ignore
    expect(names({ total: [1], sum: [1], each: { rule: [1] } })).toEqual(all());
    expect(names({ total: [1], sum: [1], each: { rule: [1], own: [0] } })).toEqual(all('rule', 'own'));
    expect(names({ total: [0], sum: [1], each: { token: [1] }, perToken: [[1, 0]] })).toEqual(all('token'));
  });
});

describe('of the policy loss', () => {
  const sums = { tokens: 8, kl: 2, clippedLow: 1, clippedHigh: 2, clippedDual: 4, ratioMin: 0.5, ratioMax: 3 };
  const clips = { 'clip low': 1 / 8, 'clip high': 1 / 4, 'ratio min': 0.5, 'ratio max': 3 };

  test('shares of tokens; the KL and the dual clip where there are such', () => {
    expect(policyMetrics(sums, false, 0)).toStrictEqual(clips);
    expect(policyMetrics(sums, true, 0)).toStrictEqual({ kl: 1 / 4, ...clips });
    for (const delta of [0.5, 1, 2]) expect(policyMetrics(sums, false, delta)).toStrictEqual({ ...clips, 'clip dual': 1 / 2 }); // prettier-ignore
  });

  test('of one token, and of none', () => {
    const one = { ...NO_TOKENS, tokens: 1, ratioMin: 1, ratioMax: 1 };
    expect(policyMetrics(one, false, 0)).toStrictEqual({ 'clip low': 0, 'clip high': 0, 'ratio min': 1, 'ratio max': 1 }); // prettier-ignore
    expect(policyMetrics(NO_TOKENS, true, 2)).toStrictEqual({});
  });
});
