/** Rewards of free texts: whether one is a SID at all, and how near its words are to the answer's. */
import { textCosines } from '../../../evaluate/text/cosine.js';
import { rouge } from '../../../evaluate/text/rouge.js';
import type { RewardContext } from './reward-context.js';

/**
 * 1 for a text that is the SID of an item, else -1. (GRec's format reward.)
 *
 * @example formatReward({ items: [7, -1] }) // [1, -1]
 */
export function formatReward({ items }: Pick<RewardContext, 'items'>): number[] {
  return items.map((item) => (item >= 0 ? 1 : -1));
}

/** F of the longest common subsequence of words, in [0, 1] (`rouge`). */
export function rougeReward({ answers, expected }: Pick<RewardContext, 'answers' | 'expected'>): number[] {
  return answers!.map((answer) => rouge(expected!, answer).rougeL.f);
}

/** Cosine of the vectors of text and answer, by the encoder that was given. */
export async function cosineReward({
  answers,
  expected,
  embed,
}: Pick<RewardContext, 'answers' | 'expected' | 'embed'>): Promise<number[]> {
  return textCosines(
    answers!.map(() => expected!),
    answers!,
    embed!,
  );
}
