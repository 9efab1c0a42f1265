/** The rewards of a group: every one computed, checked, weighted and joined. */
import { InputError } from '../../../support/errors.js';
import { statistics } from '../loss/advantages.js';
import type { RewardContext, Rewards } from './reward-context.js';
import type { RewardPart } from './reward-list.js';

/** What the completions of a group are worth. */
export interface GroupRewards {
  /** Weighted sum of the rewards that are one number a completion [G]. */
  total: number[];
  /** Weighted sum of those that are one a token [G][...]; absent where there is none. */
  perToken?: number[][];
  /** Every reward by name, a per-token one summed over its tokens [G]. */
  each: Record<string, number[]>;
}

/** @throws InputError if a reward does not return one finite number a completion, or one a token of each */
export async function rewardGroup(parts: readonly RewardPart[], context: RewardContext): Promise<GroupRewards> {
  const group: GroupRewards = { total: context.items.map(() => 0), each: {} };
  for (const part of parts) {
    const rewards = checked(part.name, await part.reward(context), context);
    group.each[part.name] = rewards.map((own) => (typeof own === 'number' ? own : own.reduce((sum, r) => sum + r, 0)));
    rewards.forEach((own, g) => {
      if (typeof own === 'number') {
        group.total[g]! += part.weight * own;
        return;
      }
      group.perToken ??= context.tokens!.map((completion) => completion.map(() => 0));
      own.forEach((r, i) => (group.perToken![g]![i]! += part.weight * r));
    });
  }
  return group;
}

/**
 * The weighted sum of rewards each of which has mean 0 and deviation 1 within the group (TRL's `normalize_then_sum`):
 * none of them is drowned by another of larger spread. @param each by name [G]
 */
export function normalizedSum(
  parts: readonly RewardPart[],
  each: Readonly<Record<string, readonly number[]>>,
): number[] {
  const scaled = parts.map(({ name, weight }) => {
    const { mean, deviation } = statistics(each[name]!);
    return each[name]!.map((reward) => (weight * (reward - mean)) / (deviation + 1e-4));
  });
  return scaled[0]!.map((_, g) => scaled.reduce((sum, rewards) => sum + rewards[g]!, 0));
}

function checked(name: string, given: unknown, { items, tokens }: RewardContext): (number | readonly number[])[] {
  const count = items.length;
  const rewards = given as Rewards;
  if (Array.isArray(given) && given.length === count) {
    if (given.every(Number.isFinite)) return [...rewards];
    const perToken = rewards.every(
      (own, g) => Array.isArray(own) && own.length === tokens?.[g]?.length && own.every(Number.isFinite),
    );
    if (perToken) return [...rewards];
  }
  const got = Array.isArray(given) && given.length !== count ? `${given.length} values` : shown(given);
  throw new InputError(
    `grpo: reward ${name}: expected ${count} finite numbers, one an item, got ${got}; mend the reward`,
  );
}

function shown(value: unknown): string {
  const text = Array.isArray(value) ? `[${value.map(String).join(', ')}]` : String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
