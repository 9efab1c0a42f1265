/**
 * Rewards of a group of recommendations, one number each. Pure functions; a reward belongs to its row's own target (the
 * reference finds the target by the history's text, and meets another row's in 2 to 3.6 % of rows).
 */

/** @param items the group's items, best beam first @param target the row's item */
export type Reward = (items: readonly number[], target: number) => number[];

/** 1 for the row's item, else 0. (MiniOneRec, `rule_reward`.) */
export const ruleReward: Reward = (items, target) => items.map((item) => (item === target ? 1 : 0));

/**
 * The rule, and in a group with a hit a penalty for each miss that falls with its rank i (from 0):
 * -(1 / log2(i + 2)) / sum over the group; 0 for the hit beside its 1, and 0 throughout a group without a hit.
 * (MiniOneRec, arXiv 2510.24431, ranking reward.)
 *
 * @example rankingReward([7, 5], 5) // weights 1 and 0.6309: [-0.6131, 1]
 */
export const rankingReward: Reward = (items, target) => {
  if (!items.includes(target)) return items.map(() => 0);
  const weights = items.map((_, i) => 1 / Math.log2(i + 2));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return items.map((item, i) => (item === target ? 1 : -weights[i]! / total));
};

export const REWARDS = { rule: ruleReward, ranking: rankingReward } as const;
export type RewardName = keyof typeof REWARDS;
