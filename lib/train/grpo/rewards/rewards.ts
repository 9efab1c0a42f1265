/**
 * Rewards: what each completion of a group is worth. Pure functions of one context object; `reward` of GRPO is a name of
 * `REWARDS`, such a function, given in a notebook cell, or a weighted list of both. A new named reward is a function and
 * an entry of `REWARDS`.
 *
 * A reward belongs to its row's own target (the reference finds the target by the history's text, and meets another
 * row's in 2 to 3.6 % of rows).
 */
import type { Reward, RewardContext } from './reward-context.js';
import { InputError } from '../../../support/errors.js';
import { cosineReward, formatReward, rougeReward } from './text-rewards.js';
import { smallest } from '../../../support/extremes.js';

/** What most rewards look at, so that they can be called by hand. */
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
 * In a group with a hit a penalty for each miss that falls with its rank i (from 0): -(1 / log2(i + 2)) / sum over the
 * group; 0 for the hit, and 0 throughout a group without a hit. (MiniOneRec, `ndcg_rule_reward`.)
 *
 * @example rankingOnlyReward({ items: [7, 5], target: 5 }) // weights 1 and 0.6309: [-0.6131, 0]
 */
export function rankingOnlyReward({ items, target }: Hits): number[] {
  if (!items.includes(target)) return items.map(() => 0);
  const weights = items.map((_, i) => 1 / Math.log2(i + 2));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return items.map((item, i) => (item === target ? 0 : -weights[i]! / total));
}

/**
 * The rule, and that penalty. (MiniOneRec, arXiv 2510.24431, ranking reward.)
 *
 * @example rankingReward({ items: [7, 5], target: 5 }) // [-0.6131, 1]
 */
export function rankingReward({ items, target }: Hits): number[] {
  const penalty = rankingOnlyReward({ items, target });
  return penalty.map((own, i) => (items[i] === target ? 1 : own));
}

/** By leading codes that are right, but not all: none, one, two or more. */
const PARTLY = [0, 0.2, 0.5];

/**
 * How far the SID is right from its beginning: 0.2 for the first code, 0.5 for two (or more, but not all), 1 for all of
 * them. (HEPO's hierarchical reward, as in MiniOneRec's `rl_gpr.py`.)
 *
 * @example of the codes a1 b2 c3: a1 b9 c3 is worth 0.2, a1 b2 c4 0.5, and a2 b2 c3 nothing
 */
export function hierarchicalReward({ items, target, index }: Hits & Pick<RewardContext, 'index'>): number[] {
  const right = index![target]!;
  return items.map((item) => {
    const codes = index![item] ?? [];
    const same = right.findIndex((code, level) => codes[level] !== code);
    return same < 0 && codes.length === right.length ? 1 : PARTLY[Math.min(2, same < 0 ? right.length : same)]!;
  });
}

/**
 * One number a token: 1 while all tokens so far are those of the right answer, else 0. (Process supervision: GRPO,
 * arXiv 2402.03300, section 4.1.3; GRec's per-token reward.)
 *
 * @example of the answer [4, 7, 1]: [4, 7, 2] is worth [1, 1, 0], [5, 7, 1] nothing
 */
export function tokenReward({ tokens, expectedTokens }: Pick<RewardContext, 'tokens' | 'expectedTokens'>): number[][] {
  return tokens!.map((completion) => {
    const wrong = completion.findIndex((token, i) => token !== expectedTokens![i]);
    return completion.map((_, i) => (wrong < 0 || i < wrong ? 1 : 0));
  });
}

/**
 * How far each item is from the others of its group by its codes, in [0, 1]: the mean over the others of 1 - shared
 * leading codes / codes of the longer SID. A group's mean is its intra-list distance (Ziegler et al., WWW 2005, eq. 4,
 * with this distance), so that a policy is paid for lists that are not all of one corner of the catalogue; give it a small
 * weight beside `ranking`. 0 in a group of one item, and for a text that is no item's.
 *
 * @example of the SIDs a1 b2, a1 b3 and a4 b2: half, 1 and 1 apart, so 0.75, 0.75 and 1
 */
export function diversityReward({ items, index }: Pick<RewardContext, 'items' | 'index'>): number[] {
  const distance = (a: number, b: number): number => {
    const [one, other] = [index![a]!, index![b]!];
    const same = one.findIndex((code, level) => other[level] !== code);
    return 1 - (same < 0 ? Math.min(one.length, other.length) : same) / Math.max(one.length, other.length);
  };
  return items.map((item, i) => {
    const others = items.filter((other, j) => j !== i && other >= 0);
    if (item < 0 || others.length === 0) return 0;
    return others.reduce((sum, other) => sum + distance(item, other), 0) / others.length;
  });
}

/**
 * Cosine of each item's vector with the target's, in [-1, 1]; 0 where either is all zeros. (MiniOneRec,
 * `semantic_reward`.)
 */
export function semanticReward({ items, target, vectors }: Hits & Pick<RewardContext, 'vectors'>): number[] {
  const { width, data } = vectors!;
  const dot = (a: number, b: number): number => {
    let sum = 0;
    for (let d = 0; d < width; d++) sum += data[a * width + d]! * data[b * width + d]!;
    return sum;
  };
  return items.map((item) => {
    const lengths = item < 0 ? 0 : Math.sqrt(dot(item, item) * dot(target, target));
    return lengths === 0 ? 0 : dot(item, target) / lengths;
  });
}

/**
 * What another recommender says of each item after the row's history: the scorer that was given. A text that is no item
 * gets the lowest score of the group. (MiniOneRec, `cf_reward`, whose scorer is a SASRec.)
 */
export async function scorerReward({
  items,
  row,
  scorer,
  scored,
}: Pick<RewardContext, 'items' | 'row' | 'scorer' | 'scored'>): Promise<number[]> {
  const known = items.filter((item) => item >= 0);
  if (known.length === 0) return items.map(() => 0);
  const scores = Array.from(scored ?? (await scorer!([row.history], [known]))[0] ?? []);
  if (scores.length !== known.length) {
    throw new InputError(
      `grpo: reward sasrec: expected ${known.length} scores, one an item, got ${scores.length}; mend the scorer`,
    );
  }
  const lowest = smallest(scores);
  return items.map((item) => (item < 0 ? lowest : scores.shift()!));
}

/**
 * log of how often the item came right after the history's last one, as a share of all that came after it: in the training
 * rows, one more drawn by popularity: (n(last, item) + s(item)) / (n(last) + 1) with s an item's share of all items, of one
 * that was never seen as if a tenth of once. So the transition baseline tells a policy what it has not learned; under
 * `advantages: 'policy'` a weight w makes the policy p into one proportional to p times that share to the power of w.
 *
 * @example // after 7 came 4 three times and 5 once: of 4 about log(3 / 5), of 5 log(1 / 5)
 */
export function transitionReward({ items, row, counts }: Pick<RewardContext, 'items' | 'row' | 'counts'>): number[] {
  const { items: times, pairs, total: all } = counts!;
  const after = pairs.get(row.history.at(-1)!) ?? new Map<number, number>(); // undefined, after nothing, has no followers
  const total = [...after.values()].reduce((sum, count) => sum + count, 0);
  const share = (item: number): number => ((times.get(item) ?? 0) + 0.1) / Math.max(1, all);
  return items.map((item) => Math.log(((after.get(item) ?? 0) + share(item)) / (total + 1)));
}

/**
 * 1 for an item that is not in the row's history, 0 for one that is and for a text that is no item's: for catalogues in which people hardly buy an item twice, which a
 * policy that is trained on whole histories may not have learned.
 *
 * @example // after 7 and 4: of the items 4, 5 and 7
 * noveltyReward({ items: [4, 5, 7], row: { user: 'u', history: [7, 4], target: 5 } }) // [0, 1, 0]
 */
export function noveltyReward({ items, row }: Pick<RewardContext, 'items' | 'row'>): number[] {
  return items.map((item) => (item < 0 || row.history.includes(item) ? 0 : 1));
}

/** What a reward reads beside the group; of all but the counts, which are of the training rows, before a run begins. */
export type RewardNeed = 'vectors' | 'scorer' | 'embed' | 'counts';

/** A reward of the kit. */
export interface NamedReward {
  /** A line of help. */
  help: string;
  reward: Reward;
  /** Tasks that it is for: those that answer with a SID, or those that answer in words. */
  of: 'items' | 'texts';
  needs?: RewardNeed;
  /** It reads the row's history, which tasks of items lack. */
  readsHistory?: true;
  /** Its value is the same for every completion under the trie. */
  freeOnly?: true;
}

/** The named rewards: what `--reward` may be, each with its line of help. */
export const REWARDS = {
  rule: { help: "1 for the row's item, else 0", reward: ruleReward, of: 'items' },
  ranking: {
    help: 'the rule, and a penalty for each miss beside a hit, larger the higher it ranks',
    ...{ reward: rankingReward, of: 'items' },
  },
  ranking_only: { help: 'that penalty alone', reward: rankingOnlyReward, of: 'items' },
  hierarchical: { help: '.2, .5 and 1 for one, two and all codes right', reward: hierarchicalReward, of: 'items' },
  token: { help: 'of each token, 1 while all so far are right', reward: tokenReward, of: 'items' },
  diversity: {
    help: 'mean distance of the SID to those of the others of the group',
    ...{ reward: diversityReward, of: 'items' },
  },
  semantic: {
    help: "cosine of the item's vector (--embeddings) with the target's",
    ...{ reward: semanticReward, of: 'items', needs: 'vectors' },
  },
  sasrec: {
    help: 'score of another recommender: --scorer-model, in a notebook `scorer`',
    ...{ reward: scorerReward, of: 'items', needs: 'scorer', readsHistory: true },
  },
  transition: {
    help: 'log of how often the item came right after the last one of the history, in the training rows',
    ...{ reward: transitionReward, of: 'items', needs: 'counts', readsHistory: true },
  },
  novelty: {
    help: 'of an item that is not in the history 1, else 0',
    ...{ reward: noveltyReward, of: 'items', readsHistory: true },
  },
  format: {
    help: '1 for a free text that is the SID of an item, else -1',
    ...{ reward: formatReward, of: 'items', freeOnly: true },
  },
  rouge: { help: "ROUGE-L of a text with the answer's", reward: rougeReward, of: 'texts' },
  cosine: {
    help: 'cosine of the vectors of text and answer, by the encoder given as `embed` in a notebook',
    ...{ reward: cosineReward, of: 'texts', needs: 'embed' },
  },
} as const satisfies Record<string, NamedReward>;

/** A name of the kit's rewards. */
export type RewardName = keyof typeof REWARDS;
/** All of them. */
export const REWARD_NAMES = Object.keys(REWARDS) as RewardName[];
