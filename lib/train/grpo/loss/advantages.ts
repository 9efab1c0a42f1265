/**
 * Advantages: what a completion's reward is worth beside the others.
 *
 * A = (r - baseline) / (deviation + 1e-4), the deviation that of a sample (n - 1), as in TRL. What the mean and the
 * deviation are of is an option each: the group (GRPO, arXiv 2402.03300), the update's batch (the deviation: Lite PPO,
 * arXiv 2508.08221), or nothing (no baseline: REINFORCE; no deviation: Dr. GRPO, arXiv 2503.20783, which says that it
 * weighs easy and hard prompts differently).
 */
import { largest } from '../../../support/extremes.js';

/** Whose mean is subtracted, and whose deviation divides. */
export const ADVANTAGE_SCOPES = ['group', 'batch', 'none'] as const;
/** A word of `ADVANTAGE_SCOPES`. */
export type AdvantageScope = (typeof ADVANTAGE_SCOPES)[number];

/** What rewards are compared with: a mean, or the policy itself (`policyAdvantages`). */
export const BASELINES = [...ADVANTAGE_SCOPES, 'policy'] as const;
/** A word of `BASELINES`. */
export type AdvantageBaseline = (typeof BASELINES)[number];

/** How rewards become advantages. */
export interface AdvantageOptions {
  /** Whose mean is subtracted. Default `group`. */
  baseline?: AdvantageScope;
  /** Whose deviation divides. Default `group`. */
  scale?: AdvantageScope;
}

const EPSILON = 1e-4;

/**
 * Advantages of every completion of every group; exactly 0 where all rewards that they are compared with are equal.
 * @param rewards of each group's completions [groups][G]
 * @example advantages([[1, 0], [0, 0]], { scale: 'none' }) // [[0.5, -0.5], [0, 0]]
 */
export function advantages(rewards: readonly (readonly number[])[], options: AdvantageOptions = {}): number[][] {
  const { baseline = 'group', scale = 'group' } = options;
  const ofBatch = statistics(rewards.flat());
  return rewards.map((group) => {
    const own = statistics(group);
    const of = (scope: 'group' | 'batch'): Statistics => (scope === 'group' ? own : ofBatch);
    const mean = baseline === 'none' ? 0 : of(baseline).mean;
    const divisor = scale === 'none' ? 1 : of(scale).deviation + EPSILON;
    return group.map((reward) => (reward - mean) / divisor);
  });
}

/**
 * Advantages within one group.
 * @example groupAdvantages([1, 0]) // mean 0.5, deviation 0.7071: [0.7070, -0.7070]
 */
export function groupAdvantages(rewards: readonly number[]): number[] {
  return advantages([rewards])[0]!;
}

/**
 * Advantages of a group in which its policy is improved: with p the probabilities of its completions among one another and
 * r their rewards, A = G (q - p) where q = p exp(r) / sum of p exp(r) solves max E_q[r] - KL(q || p) (MPO, Abdolmaleki et
 * al., arXiv 1806.06920; Grill et al., arXiv 2007.12509). The step is that of KL(q || policy): a completion counts by its
 * probability, however many were found beside it, and A is 0 where rewards are equal.
 * @param logProbs of the policy, each completion's sum [G]
 * @example policyAdvantages([Math.log(3), 0], [0, 0]) // [0, 0]; p is .75 and .25
 * @example policyAdvantages([Math.log(3), 0], [0, Math.log(3)]) // q is .5 and .5: [-0.5, 0.5]
 */
export function policyAdvantages(logProbs: readonly number[], rewards: readonly number[]): number[] {
  const policy = softmax(logProbs);
  const improved = softmax(logProbs.map((logProb, g) => logProb + rewards[g]!));
  return areEqual(rewards) ? rewards.map(() => 0) : improved.map((q, g) => rewards.length * (q - policy[g]!));
}

function softmax(values: readonly number[]): number[] {
  const most = largest(values);
  const powers = values.map((value) => Math.exp(value - most));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

/** Whether a group's rewards tell nothing apart. */
export function areEqual(rewards: readonly number[]): boolean {
  return rewards.every((reward) => reward === rewards[0]);
}

/** Mean, and deviation of a sample. */
export interface Statistics {
  mean: number;
  /** 0 for fewer than two values. */
  deviation: number;
}

/** Of equal values exactly their value and 0, whatever rounding makes of their sum. */
export function statistics(values: readonly number[]): Statistics {
  if (values.length === 0) return { mean: 0, deviation: 0 };
  if (areEqual(values)) return { mean: values[0]!, deviation: 0 };
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}
