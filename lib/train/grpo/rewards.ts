/**
 * Rewards: what each item of a group is worth. Pure functions of one context object; `reward` of GRPO is a name of
 * `REWARDS` or such a function, given in a notebook cell. A new named reward is a function and an entry of `REWARDS`.
 *
 * A reward belongs to its row's own target (the reference finds the target by the history's text, and meets another
 * row's in 2 to 3.6 % of rows).
 */
import type { Item, Row } from '../../data/dataset.js';

/** What a reward is given: the beams of one row, best first, G of them, and what they answer. */
export interface RewardContext {
  /** Item id of each beam [G]. */
  items: readonly number[];
  /** Item id that the row asks for. */
  target: number;
  /** The catalogue's texts, index = item id: `texts[target].categories`. Absent where the data set has no items. */
  texts?: readonly Item[];
  /** Token ids of each beam's completion [G][...]; items that share a SID have the same ones. */
  tokens?: readonly (readonly number[])[];
  /** Sum of log-probabilities of each beam's tokens [G]. */
  scores?: readonly number[];
  /** The training row. */
  row: Row;
  /** The prompt's text, as the tokenizer decodes it. */
  prompt: string;
}

/** @returns one finite number an item, in their order */
export type Reward = (context: RewardContext) => number[];

/** What the kit's rewards look at, so that they can be called by hand. */
type Hits = Pick<RewardContext, 'items' | 'target'>;

/**
 * 1 for the row's item, else 0. (MiniOneRec, `rule_reward`.)
 *
 * @example ruleReward({ items: [7, 5], target: 5 }) // [0, 1]
 */
export function ruleReward({ items, target }: Hits): number[] {
  return items.map((item) => (item === target ? 1 : 0));
}

/**
 * The rule, and in a group with a hit a penalty for each miss that falls with its rank i (from 0):
 * -(1 / log2(i + 2)) / sum over the group; 0 for the hit beside its 1, and 0 throughout a group without a hit.
 * (MiniOneRec, arXiv 2510.24431, ranking reward.)
 *
 * @example rankingReward({ items: [7, 5], target: 5 }) // weights 1 and 0.6309: [-0.6131, 1]
 */
export function rankingReward({ items, target }: Hits): number[] {
  if (!items.includes(target)) return items.map(() => 0);
  const weights = items.map((_, i) => 1 / Math.log2(i + 2));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return items.map((item, i) => (item === target ? 1 : -weights[i]! / total));
}

/** The named rewards: what `--reward` may be, each with its line of help. */
export const REWARDS = {
  rule: { help: "1 for the row's item, else 0", reward: ruleReward },
  ranking: {
    help: 'the rule, and a penalty for each miss beside a hit, larger the higher it ranks',
    reward: rankingReward,
  },
} as const satisfies Record<string, { help: string; reward: Reward }>;

/** A name of the kit's rewards. */
export type RewardName = keyof typeof REWARDS;
/** All of them. */
export const REWARD_NAMES = Object.keys(REWARDS) as RewardName[];
