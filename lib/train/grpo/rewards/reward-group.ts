/** The rewards of a group: every one computed, checked, weighted and joined. */
import { InputError } from '../../../support/errors.js';
import { statistics } from '../loss/advantages.js';
import { rowName } from '../rollout/rl-task.js';
import type { RewardContext, Rewards } from './reward-context.js';
import type { RewardPart } from './reward-list.js';

/** What the completions of a group are worth. */
export interface GroupRewards {
  /** Weighted sum of the rewards that are one number a completion: what the group is compared by [G]. */
  total: number[];
  /** Weighted sum of those that are one a token [G][...]; absent where there is none. */
  perToken?: number[][];
  /** Which of them those are, and how much they weigh beside the others, 1 where there are none. */
  ofTokens?: { names: string[]; share: number };
  /** Weighted sum of all of them as they were given, those of tokens summed: what is logged [G]. */
  sum: number[];
  /** Every reward by name, a per-token one summed over its tokens [G]. */
  each: Record<string, number[]>;
}

/** @throws InputError if a reward does not return one finite number a completion, or one a token of each */
export async function rewardGroup(parts: readonly RewardPart[], context: RewardContext): Promise<GroupRewards> {
  const group: GroupRewards = { total: context.items.map(() => 0), sum: context.items.map(() => 0), each: {} };
  const byToken: RewardPart[] = [];
  for (const part of parts) {
    const rewards = checked(part.name, await asked(part, context), context);
    const each = rewards.map((own) => (typeof own === 'number' ? own : own.reduce((sum, r) => sum + r, 0)));
    group.each[part.name] = each;
    each.forEach((own, g) => (group.sum[g]! += part.weight * own));
    if (rewards.some((own) => typeof own !== 'number')) byToken.push(part);
    rewards.forEach((own, g) => {
      if (typeof own === 'number') {
        group.total[g]! += part.weight * own;
        return;
      }
      group.perToken ??= context.tokens!.map((completion) => completion.map(() => 0));
      own.forEach((r, i) => (group.perToken![g]![i]! += part.weight * r));
    });
  }
  if (byToken.length > 0) {
    const weigh = (of: readonly RewardPart[]): number => of.reduce((sum, { weight }) => sum + Math.abs(weight), 0);
    const others = parts.filter((part) => !byToken.includes(part));
    const share = others.length === 0 ? 1 : weigh(byToken) / weigh(others);
    group.ofTokens = { names: byToken.map(({ name }) => name), share };
  }
  return group;
}

/** What a reward says; an error of one's own function names it, and the row. */
async function asked({ name, named, reward }: RewardPart, context: RewardContext): Promise<unknown> {
  try {
    return await reward(context);
  } catch (error) {
    if (named || error instanceof InputError) throw error;
    const where = rowName(context.task ?? '', context.row).replace(/^grpo: (: )?/, '');
    throw new InputError(`grpo: reward ${name}: ${error instanceof Error ? error.message : String(error)} (${where})`, {
      cause: error,
    });
  }
}

/**
 * The weighted sum of rewards each of which has mean 0 and deviation 1 within the group (TRL's `normalize_then_sum`):
 * none of them is drowned by another of larger spread. Those of tokens are not among them: they are scaled by themselves.
 */
export function normalizedSum(
  parts: readonly RewardPart[],
  { each, total, ofTokens }: Pick<GroupRewards, 'each' | 'total' | 'ofTokens'>,
): number[] {
  const own = parts.filter(({ name }) => !ofTokens?.names.includes(name));
  const scaled = own.map(({ name, weight }) => {
    const { mean, deviation } = statistics(each[name]!);
    return each[name]!.map((reward) => (weight * (reward - mean)) / (deviation + 1e-4));
  });
  return total.map((_, g) => scaled.reduce((sum, rewards) => sum + rewards[g]!, 0));
}

function checked(name: string, given: unknown, { items, tokens }: RewardContext): (number | readonly number[])[] {
  const count = items.length;
  const rewards = asList(given) as Rewards;
  if (Array.isArray(rewards) && rewards.length === count) {
    if (rewards.every((own) => Number.isFinite(own))) return [...rewards];
    const lists = rewards.map(asList);
    const perToken = lists.every(
      (own, g) => Array.isArray(own) && own.length === tokens?.[g]?.length && own.every(Number.isFinite),
    );
    if (perToken) return lists as number[][];
  }
  const got = Array.isArray(given) && given.length !== count ? `${given.length} values` : shown(given);
  throw new InputError(
    `grpo: reward ${name}: expected ${count} finite numbers, one an item, got ${got}; mend the reward`,
  );
}

/** A typed array as a list; anything else as it is. */
function asList(value: unknown): unknown {
  return ArrayBuffer.isView(value) ? Array.from(value as unknown as ArrayLike<number>) : value;
}

function shown(value: unknown): string {
  const text = Array.isArray(value) ? `[${value.map(String).join(', ')}]` : String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
