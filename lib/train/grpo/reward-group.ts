/** A reward at work: by name or as a function, checked, and as a run's configuration holds it. */
import { hashText } from '../../files/files.js';
import { InputError } from '../../support/errors.js';
import { type Reward, type RewardContext, type RewardName, REWARDS } from './rewards.js';

/** The reward of a name; a function is a reward itself. */
export function rewardOf(given: Reward | RewardName): Reward {
  return typeof given === 'function' ? given : REWARDS[given].reward;
}

/** A reward as a run's configuration holds it: a name of the kit's, or a function's name and SHA-256 of its source. */
export type RewardStamp = RewardName | { name: string; sha256: string };

/**
 * Two functions with one source have one stamp: a value from outside the function's body that it reads is not part of
 * it, so write the numbers that matter into the body.
 */
export function rewardStamp(given: Reward | RewardName): RewardStamp {
  if (typeof given === 'string') return given;
  return { name: given.name === '' ? 'anonymous' : given.name, sha256: hashText(given.toString()) };
}

/**
 * Rewards of a group.
 * @throws InputError if the reward does not return one finite number an item
 */
export function rewardGroup(given: Reward | RewardName, context: RewardContext): number[] {
  const rewards: unknown = rewardOf(given)(context);
  const count = context.items.length;
  if (Array.isArray(rewards) && rewards.length === count && rewards.every(Number.isFinite)) return rewards as number[];
  const name = typeof given === 'string' ? given : given.name || 'anonymous';
  const got = Array.isArray(rewards) && rewards.length !== count ? `${rewards.length} values` : shown(rewards);
  throw new InputError(
    `grpo: reward ${name}: expected ${count} finite numbers, one an item, got ${got}; mend the reward`,
  );
}

function shown(value: unknown): string {
  const text = Array.isArray(value) ? `[${value.map(String).join(', ')}]` : String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
