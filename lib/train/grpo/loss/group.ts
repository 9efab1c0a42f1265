/** A group: the completions of one prompt, which are compared with one another. */
import type { ItemTrie } from '../../../decode/item-trie.js';
import type { BatchTotals } from './policy-loss.js';

/** The completions of one prompt, and what each is worth. G completions. */
export interface Group {
  /** Token ids. */
  prompt: readonly number[];
  /** Token ids of each, all distinct [G][...]. */
  completions: readonly (readonly number[])[];
  /** Of each completion, or of each of its tokens [G] or [G][...]. */
  advantages: readonly (number | readonly number[])[];
  /** Whether each counts [G]; default all do. */
  counts?: readonly boolean[];
  /** Token ids of the right answer, where the loss of fine-tuning is mixed in. */
  answer?: readonly number[];
  /** What the logits are divided by: that of the draw. Default 1. The right answer's are as they are. */
  temperature?: number;
  /** The items that completions are of, where log p is normalised over what the trie allows. */
  trie?: ItemTrie;
  /** log p of each completion's tokens at the rollout [G][...]; absent until an update has computed it. */
  old?: number[][];
  /** log p of each completion's tokens under the reference [G][...]; absent until it was computed. */
  reference?: number[][];
}

/** What the whole batch is, the tokens of answers among it. */
export interface GroupTotals extends BatchTotals {
  /** Tokens of the right answers. */
  answerTokens: number;
}

/** @param maxTokens that a completion may have at most @param none groups that count, and have no completion here */
export function totalsOf(groups: readonly Group[], maxTokens: number): GroupTotals {
  const totals: GroupTotals = { groups: groups.length, completions: 0, tokens: 0, maxTokens, answerTokens: 0 };
  for (const { completions, counts, answer } of groups) {
    totals.completions += completions.length;
    completions.forEach(({ length }, g) => (totals.tokens += counts?.[g] === false ? 0 : length));
    totals.answerTokens += answer?.length ?? 0;
  }
  return totals;
}

/** Whether the group's policy loss has a gradient of its own. */
export function hasAdvantage({ advantages, counts }: Group): boolean {
  return advantages.some(
    (of, g) => counts?.[g] !== false && (typeof of === 'number' ? of !== 0 : of.some((a) => a !== 0)),
  );
}
