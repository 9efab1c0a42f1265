/** Advantages of rewarded groups: of each completion, and where rewards are one a token, of each token. */
import {
  advantages,
  type AdvantageBaseline,
  type AdvantageOptions,
  type AdvantageScope,
  policyAdvantages,
  statistics,
} from './advantages.js';
import { InputError } from '../../../support/errors.js';
import type { Group } from './group.js';
import { klEstimate, type KlEstimator } from './kl.js';
import type { RolledGroup } from '../rollout/rolled-groups.js';

/**
 * The groups with their advantages. A reward a token is compared with those of all tokens of its group, or of the batch, and
 * scaled by them, as `baseline` and `scale` say; a token's advantage is then the sum of what follows, itself included
 * (process supervision: GRPO, arXiv 2402.03300, section 4.1.3), beside the advantage of its completion.
 * @param counts whether a completion that ran out of tokens counts
 * @throws InputError for a reward a token beside `policy`, which compares completions
 */
export function withAdvantages(
  groups: readonly RolledGroup[],
  { baseline = 'group', scale = 'group' }: Omit<AdvantageOptions, 'baseline'> & { baseline?: AdvantageBaseline },
  { maskTruncated }: { maskTruncated: boolean },
): Group[] {
  const allTokens = groups.flatMap(({ rewards }) => rewards.perToken ?? []);
  if (baseline === 'policy' && allTokens.length > 0) {
    throw new InputError('grpo: --advantages policy: a reward of one number a token has no place in it; take group');
  }
  const totals = groups.map(({ rewards }) => rewards.total);
  const outcome =
    baseline === 'policy'
      ? groups.map(({ old }, i) => policyAdvantages(old!.map(sumOf), totals[i]!))
      : advantages(totals, { baseline, scale });
  return groups.map((group, i): Group => {
    const { prompt, completions, ended, answer, trie, old, reference, temperature } = group;
    const { perToken, ofTokens } = group.rewards;
    const share = ofTokens?.share ?? 1;
    const process = perToken && processAdvantages(perToken, { baseline: baseline as AdvantageScope, scale, batch: allTokens, share }); // prettier-ignore
    return {
      ...{ prompt, completions },
      advantages: outcome[i]!.map((own, g) => (process ? process[g]!.map((following) => own + following) : own)),
      ...(maskTruncated && ended.includes(false) && { counts: ended }),
      ...{ ...(answer && { answer }), ...(trie && { trie }), ...(old && { old }), ...(reference && { reference }) },
      ...(temperature !== undefined && { temperature }),
    };
  });
}

/** How rewards of tokens become advantages. */
export interface ProcessOptions extends AdvantageOptions {
  /** Rewards of all tokens of the batch [...][...]. Default the group's. */
  batch?: readonly (readonly number[])[];
  /** What scaled rewards are multiplied by: their weight beside rewards of completions, which are scaled too. Default 1. */
  share?: number;
}

/**
 * @param rewards of each token [G][...]
 * @example processAdvantages([[1, 0], [0, 0]]) // mean 0.25, deviation 0.5: [[1, -0.5], [-1, -0.5]] (but for 1e-4)
 */
export function processAdvantages(
  rewards: readonly (readonly number[])[],
  { baseline = 'group', scale = 'group', batch = rewards, share = 1 }: ProcessOptions = {},
): number[][] {
  const of = { group: statistics(rewards.flat()), batch: statistics(batch.flat()) };
  const mean = baseline === 'none' ? 0 : of[baseline].mean;
  const factor = scale === 'none' ? 1 : share / (of[scale].deviation + 1e-4);
  return rewards.map((own) => {
    const sums = own.map((reward) => (reward - mean) * factor);
    for (let i = sums.length - 2; i >= 0; i--) sums[i]! += sums[i + 1]!;
    return sums;
  });
}

/**
 * Takes the KL out of the rewards: every completion's is lowered by beta times the sum of its tokens' estimates, from
 * log p at the rollout (as in RLHF, Ouyang et al., arXiv 2203.02155; TRL's RLOO). No gradient goes through it.
 * @param groups that know `old` and `reference`
 * @returns the mean estimate a token
 */
export function klIntoRewards(groups: readonly RolledGroup[], beta: number, estimator: KlEstimator): number {
  let [sum, tokens] = [0, 0];
  for (const { rewards, old, reference } of groups) {
    rewards.total = rewards.total.map((reward, g) => {
      const own = old![g]!.map((logProb, i) => klEstimate(estimator, logProb, reference![g]![i]!).value);
      const total = sumOf(own);
      sum += total;
      tokens += own.length;
      return reward - beta * total;
    });
  }
  return tokens === 0 ? 0 : sum / tokens;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
