/** The policy loss against PyTorch and TRL (`test/golden/grpo`), finite differences, and its own definition. */
import fc from '../../fast-check.js';
import { describe, expect, test } from 'vitest';
import { readJson } from '../../../lib/files/files.js';
import {
  advantages,
  type AdvantageScope,
  areEqual,
  policyAdvantages,
  statistics,
} from '../../../lib/train/grpo/loss/advantages.js';
import { KL_ESTIMATORS, klEstimate } from '../../../lib/train/grpo/loss/kl.js';
import {
  addSums,
  type BatchTotals,
  LOSS_TYPES,
  lossDefaults,
  NO_TOKENS,
  policyLoss,
  type PolicyLossOptions,
  type PolicyTokens,
  RATIO_LEVELS,
} from '../../../lib/train/grpo/loss/policy-loss.js';

interface Golden {
  lengths: number[];
  groupSize: number;
  maxTokens: number;
  beta: number;
  clips: Record<string, Pick<PolicyLossOptions, 'epsilon' | 'epsilonHigh' | 'delta'>>;
  logProbs: number[];
  old: number[];
  reference: number[];
  rewards: number[][];
  advantages: { baseline: AdvantageScope; scale: AdvantageScope; values: number[][] }[];
  cases: (Pick<PolicyLossOptions, 'lossType' | 'ratioLevel'> & {
    clip: string;
    kl: PolicyLossOptions['kl'] | null;
    baseline: AdvantageScope;
    scale: AdvantageScope;
    loss: number;
    gradient: number[];
  })[];
}

const golden = readJson<Golden>('test/golden/grpo/grpo.json');
const starts = golden.lengths.reduce((ends, n) => [...ends, ends.at(-1)! + n], [0]);
const totals: BatchTotals = {
  groups: golden.rewards.length,
  completions: golden.lengths.length,
  tokens: starts.at(-1)!,
  maxTokens: golden.maxTokens,
};
const perToken = (of: readonly number[]): number[] => golden.lengths.flatMap((n, s) => Array<number>(n).fill(of[s]!));
const tokensOf = (own: readonly (readonly number[])[]): PolicyTokens => ({
  ...{ logProbs: golden.logProbs, old: golden.old, reference: golden.reference, starts },
  advantages: perToken(own.flat()),
  groupSizes: golden.lengths.map(() => golden.groupSize),
});

test.each(golden.advantages)('advantages: baseline $baseline, scale $scale', ({ baseline, scale, values }) => {
  advantages(golden.rewards, { baseline, scale }).forEach((group, g) =>
    group.forEach((advantage, i) => expect(advantage).toBeCloseTo(values[g]![i]!, 12)),
  );
});

describe('advantages of the policy', () => {
  test('the worked examples', () => {
    expect(policyAdvantages([Math.log(3), 0], [0, 0])).toEqual([0, 0]);
    const [first, second] = policyAdvantages([Math.log(3), 0], [0, Math.log(3)]);
    expect([first!.toFixed(12), second!.toFixed(12)]).toEqual(['-0.500000000000', '0.500000000000']);
  });

  test('what they add to the policy has the largest reward less KL of all changes', () => {
    const number = fc.double({ min: -4, max: 4, noNaN: true });
    const rows = fc.array(fc.tuple(number, number, number), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(rows, (completions) => {
        const [logProbs, rewards, noise] = [0, 1, 2].map((i) => completions.map((of) => of[i]!)) as [number[], number[], number[]]; // prettier-ignore
        const total = logProbs.reduce((sum, log) => sum + Math.exp(log), 0);
        const policy = logProbs.map((log) => Math.exp(log) / total);
        const improved = policyAdvantages(logProbs, rewards).map((a, g) => policy[g]! + a / rewards.length);
        const worth = (q: number[]): number =>
          q.reduce((sum, own, g) => sum + own * (rewards[g]! - Math.log(own / policy[g]!)), 0);
        const scale = noise.reduce((sum, x, g) => sum + improved[g]! * Math.exp(x / 4), 0);
        const other = improved.map((own, g) => (own * Math.exp(noise[g]! / 4)) / scale);
        expect(improved.reduce((sum, own) => sum + own, 0)).toBeCloseTo(1, 10);
        expect(worth(other)).toBeLessThanOrEqual(worth(improved) + 1e-10);
      }),
    );
  });

  test('of long texts, whose probabilities are below the smallest number', () => {
    const [long, short] = [-1000, 0].map((by) => policyAdvantages([by - 0.1, by - 1, by - 2], [0, 1, 0.5]));
    long!.forEach((own, g) => expect(own).toBeCloseTo(short![g]!, 10));
  });

  test('equal rewards are no advantage at all, whatever rounding makes of the difference', () => {
    expect(policyAdvantages([-0.1, -0.2, -0.7], [0.3, 0.3, 0.3])).toEqual([0, 0, 0]);
  });
});

describe('value and gradient of PyTorch', () => {
  test('every loss, KL, clip and advantage is there', () => {
    const seen = (name: 'lossType' | 'kl' | 'clip' | 'baseline' | 'ratioLevel') =>
      new Set(golden.cases.map((one) => one[name]));
    expect([...seen('lossType')].sort()).toEqual([...LOSS_TYPES].sort());
    expect([...seen('kl')]).toEqual([null, ...KL_ESTIMATORS]);
    expect([...seen('ratioLevel')].sort()).toEqual([...RATIO_LEVELS].sort());
    expect([seen('clip').size, seen('baseline').size]).toEqual([3, 3]);
  });

  test.each(golden.cases)(
    '$lossType, $ratioLevel ratio, clip $clip, KL $kl, advantages by $baseline',
    ({ lossType, ratioLevel, clip, kl, baseline, scale, loss, gradient }) => {
      const own = policyLoss(tokensOf(advantages(golden.rewards, { baseline, scale })), totals, {
        ...{ lossType: lossType!, ratioLevel: ratioLevel!, ...golden.clips[clip] },
        ...(kl && { kl, beta: golden.beta }),
      });
      expect(own.loss).toBeCloseTo(loss, 7);
      gradient.forEach((g, k) => expect(own.gradient[k], `token ${k}`).toBeCloseTo(g, 7));
    },
  );
});

describe('a pure function', () => {
  const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
  const batch = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 }).chain((lengths) => {
    const count = lengths.reduce((sum, n) => sum + n, 0);
    const values = (min: number, max: number) => fc.array(number(min, max), { minLength: count, maxLength: count });
    return fc.record({
      lengths: fc.constant(lengths),
      logProbs: values(-3, -0.1),
      old: values(-3, -0.1),
      reference: values(-3, -0.1),
      advantages: values(-2, 2),
      mask: fc.array(fc.integer({ min: 0, max: 1 }), { minLength: count, maxLength: count }),
    });
  });
  const options = fc.record({
    lossType: fc.constantFrom(...LOSS_TYPES),
    ratioLevel: fc.constantFrom(...RATIO_LEVELS),
    kl: fc.constantFrom(...KL_ESTIMATORS),
    beta: fc.constantFrom(0, 0.5),
    delta: fc.constantFrom(0, 2),
  });
  const asTokens = ({ lengths, ...of }: { lengths: number[] } & Omit<PolicyTokens, 'starts' | 'groupSizes'>) => ({
    ...of,
    starts: lengths.reduce((ends, n) => [...ends, ends.at(-1)! + n], [0]),
    groupSizes: lengths.map(() => 2),
  });
  const all: BatchTotals = { groups: 3, completions: 6, tokens: 11, maxTokens: 4 };

  test('its gradient is that of finite differences', () => {
    const step = 1e-6;
    fc.assert(
      fc.property(batch, options, (given, chosen) => {
        const tokens = asTokens(given);
        const { gradient } = policyLoss(tokens, all, chosen);
        // cispo's weight is no function of the policy in its gradient: the difference is taken of its log p alone
        const weights =
          chosen.lossType === 'cispo' ? policyLoss(tokens, all, { ...chosen, beta: 0 }).gradient : undefined;
        [...gradient.keys()].forEach((k) => {
          const moved = (by: number): number => {
            const logProbs = [...(given.logProbs as number[])];
            logProbs[k]! += by;
            if (!weights) return policyLoss({ ...tokens, logProbs }, all, chosen).loss;
            const kl = policyLoss({ ...tokens, logProbs, advantages: given.logProbs && [...weights].map(() => 0) }, all, chosen).loss; // prettier-ignore
            return kl + weights.reduce((sum, w, t) => sum + w * logProbs[t]!, 0);
          };
          const [before, here, after] = [moved(-step), moved(0), moved(step)];
          const [left, right] = [(here - before) / step, (after - here) / step];
          if (Math.abs(left - right) < 1e-4) expect(gradient[k]).toBeCloseTo((left + right) / 2, 4); // not at a kink
        });
      }),
    );
  });

  test('parts of completions add up to the whole, in loss, gradient and sums', () => {
    fc.assert(
      fc.property(batch, options, fc.integer({ min: 0, max: 5 }), (given, chosen, at) => {
        const tokens = asTokens(given);
        const cut = Math.min(at, given.lengths.length);
        const slice = (from: number, to: number): PolicyTokens => {
          const [low, high] = [tokens.starts[from]!, tokens.starts[to]!];
          const of = (values: ArrayLike<number>) => Array.from(values).slice(low, high);
          return {
            ...{ logProbs: of(tokens.logProbs), old: of(tokens.old!), reference: of(tokens.reference!) },
            ...{ advantages: of(tokens.advantages), mask: of(tokens.mask!) },
            starts: tokens.starts.slice(from, to + 1).map((start) => start - low),
            groupSizes: tokens.groupSizes.slice(from, to),
          };
        };
        const whole = policyLoss(tokens, all, chosen);
        const parts = [slice(0, cut), slice(cut, given.lengths.length)].map((part) => policyLoss(part, all, chosen));
        expect(parts[0]!.loss + parts[1]!.loss).toBeCloseTo(whole.loss, 10);
        expect([...parts[0]!.gradient, ...parts[1]!.gradient]).toEqual([...whole.gradient]);
        const sums = addSums(parts[0]!.sums, parts[1]!.sums);
        expect({ ...sums, kl: 0 }).toEqual({ ...whole.sums, kl: 0 });
        expect(sums.kl).toBeCloseTo(whole.sums.kl, 10);
      }),
    );
  });

  test('a token that does not count moves nothing, and is not among those that it is divided by', () => {
    const masked = policyLoss(
      { logProbs: [-1, -2, -3], advantages: [1, 9, -1], starts: [0, 2, 3], groupSizes: [2, 2], mask: [1, 0, 1] },
      { groups: 1, completions: 2, tokens: 2, maxTokens: 2 },
    );
    expect([...masked.gradient]).toEqual([-0.5, 0, 0.5]);
    expect(masked.sums.tokens).toBe(2);
    const none = policyLoss({ logProbs: [-1], advantages: [1], starts: [0, 1], groupSizes: [2], mask: [0] }, all);
    expect([none.loss, ...none.gradient]).toEqual([0, 0]);
    expect(none.sums).toEqual(NO_TOKENS);
  });

  test('right after the rollout every ratio is 1: the gradient is that of advantage times log p', () => {
    for (const lossType of LOSS_TYPES) {
      const { gradient, sums } = policyLoss(
        { logProbs: [-1, -2], advantages: [3, -1], starts: [0, 1, 2], groupSizes: [2, 2] },
        { groups: 1, completions: 2, tokens: 2, maxTokens: 1 },
        { lossType },
      );
      expect([...gradient]).toEqual([-1.5, 0.5]);
      expect(sums).toMatchObject({ ratioMin: 1, ratioMax: 1, clippedLow: 0, clippedHigh: 0, clippedDual: 0 });
    }
  });

  const of = (ratios: number[], values: number[], more: PolicyLossOptions) =>
    policyLoss(
      {
        ...{ logProbs: ratios.map(Math.log), old: ratios.map(() => 0), advantages: values },
        ...{ starts: [0, ratios.length], groupSizes: [1] },
      },
      { groups: 1, completions: 1, tokens: ratios.length, maxTokens: 9 },
      more,
    );

  test('which tokens are counted as clipped', () => {
    const clip = { epsilon: 0.2, epsilonHigh: 0.5, delta: 3 };
    const { sums, gradient } = of([0.7, 0.7, 0.9, 1.6, 1.6, 4, 4, 1.4], [-1, 1, -1, 1, -1, -1, 1, 1], clip);
    expect(sums).toMatchObject({ clippedLow: 1, clippedHigh: 2, clippedDual: 1, tokens: 8 });
    expect([sums.ratioMin, sums.ratioMax].map((x) => x.toFixed(9))).toEqual(['0.700000000', '4.000000000']);
    expect([...gradient].map((g) => (g === 0 ? 0 : 1))).toEqual([0, 1, 1, 0, 1, 0, 0, 1]);
    const atBounds = of([0.5, 2, 2], [-1, 1, -1], { epsilon: 0.5, epsilonHigh: 1, delta: 2 });
    expect(atBounds.sums).toMatchObject({ clippedLow: 0, clippedHigh: 0, clippedDual: 0, tokens: 3 });
    const { sums: cispo, gradient: moved } = of([0.1, 7], [-1, 1], { lossType: 'cispo' });
    expect(cispo).toMatchObject({ clippedLow: 0, clippedHigh: 1, clippedDual: 0 });
    expect(moved[1]).toBeCloseTo(-5 / 2, 12); // the upper bound of 1 + 4, and the token still counts
    expect(moved[0]).toBeCloseTo(0.1 / 2, 12);
  });

  test('a token is counted where its gradient is cut off, one without an advantage nowhere', () => {
    for (const ratio of [0.4, 0.9, 1, 1.4, 1.6, 4]) {
      for (const advantage of [-1, 0, 0.5, 1]) {
        for (const delta of [0, 3]) {
          const { sums, gradient } = of([ratio], [advantage], { epsilon: 0.2, epsilonHigh: 0.5, delta });
          const isCut = advantage !== 0 && gradient[0] === 0;
          const [above, gains] = [ratio > 1, advantage > 0];
          expect([sums.clippedLow, sums.clippedHigh, sums.clippedDual], `${ratio} ${advantage} ${delta}`).toEqual(
            [isCut && !above, isCut && above && gains, isCut && above && !gains].map(Number),
          );
        }
      }
    }
    const small = of([0.9], [-1], { delta: 0.5 }); // no bound above 1 is needed by the loss itself
    expect([small.sums.clippedDual, small.gradient[0]]).toEqual([1, 0]);
  });

  test('a reference is asked for where the KL counts', () => {
    const tokens = { logProbs: [-1], advantages: [1], starts: [0, 1], groupSizes: [2] };
    expect(() => policyLoss(tokens, all, { beta: 0.1 })).toThrow('expected log p of the reference');
    expect(policyLoss({ ...tokens, reference: [-2] }, all).sums.kl).toBeCloseTo(Math.exp(-1), 12); // told all the same
  });
});

test('defaults: gspo has one ratio a completion, dapo and cispo a higher upper bound', () => {
  expect(lossDefaults({})).toEqual({
    ...{ lossType: 'grpo', ratioLevel: 'token', epsilon: 0.2, epsilonHigh: 0.2, delta: 0, beta: 0, kl: 'k3' },
  });
  expect(lossDefaults({ epsilon: 0.1 }).epsilonHigh).toBe(0.1);
  expect(lossDefaults({ lossType: 'gspo' }).ratioLevel).toBe('sequence');
  expect([lossDefaults({ lossType: 'dapo' }).epsilonHigh, lossDefaults({ lossType: 'cispo' }).epsilonHigh]).toEqual([0.28, 4]); // prettier-ignore
  expect(lossDefaults({ lossType: 'dapo', epsilonHigh: 0.4, ratioLevel: 'sequence' })).toMatchObject({
    ...{ epsilonHigh: 0.4, ratioLevel: 'sequence' },
  });
});

test('KL estimators: the worked example; k3 is never negative; all agree to the second order', () => {
  const [logProb, reference] = [Math.log(0.5), Math.log(0.25)];
  expect(klEstimate('k3', logProb, reference).value).toBeCloseTo(0.5 + Math.log(2) - 1, 12);
  expect(klEstimate('k3', logProb, reference).slope).toBeCloseTo(0.5, 12);
  expect(klEstimate('k1', logProb, reference)).toEqual({ value: logProb - reference, slope: 1 });
  expect(klEstimate('k2', logProb, reference).value).toBeCloseTo(Math.log(2) ** 2 / 2, 12);
  fc.assert(
    fc.property(fc.double({ min: -5, max: 5, noNaN: true }), (d) => {
      expect(klEstimate('k3', 0, d).value).toBeGreaterThanOrEqual(0);
    }),
  );
  const small = 1e-3;
  expect(klEstimate('k2', 0, small).value / klEstimate('k3', 0, small).value).toBeCloseTo(1, 3);
});

describe('equal rewards', () => {
  test('their advantages are exactly 0 within the group, whatever their mean is rounded to', () => {
    fc.assert(
      fc.property(fc.double({ min: -3, max: 3, noNaN: true }), fc.integer({ min: 1, max: 20 }), (reward, size) => {
        const group = Array<number>(size).fill(reward);
        expect(areEqual(group)).toBe(true);
        expect(advantages([group, [0, 1]])[0]!.every((advantage) => advantage === 0)).toBe(true);
        expect(advantages([group, group], { baseline: 'batch', scale: 'batch' }).flat().every((a) => a === 0)).toBe(true); // prettier-ignore
      }),
    );
    expect(areEqual([1, 1, 2])).toBe(false);
  });

  test('mean and deviation of a sample', () => {
    expect(statistics([])).toEqual({ mean: 0, deviation: 0 });
    expect(statistics([3])).toEqual({ mean: 3, deviation: 0 });
    expect(statistics([1, 3])).toEqual({ mean: 2, deviation: Math.SQRT2 });
    expect(statistics([1, 3, 8]).deviation).toBeCloseTo(Math.sqrt(13), 12);
  });
});
