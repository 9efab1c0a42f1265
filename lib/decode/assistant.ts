/**
 * A second recommender that takes part in every step of the search, of which it reads no text: D3's text-free assistant
 * (Bao et al., EMNLP 2024, arXiv 2406.14900). A language model repeats the texts that it has just read; an assistant that
 * knows items by their ids alone, such as SASRec, holds against it.
 *
 * Its scores of items become a distribution over the items, and that of each node of the trie the share of its parent's
 * items, so that the product along a path is the item's probability. A step's score is
 * (1 - weight) log p(token) + weight log p_assistant(token). Departures from D3's code: a node has the sum of its items'
 * probabilities (there the largest of them, which is no distribution).
 *
 * Shapes: U prompts, V items, N nodes.
 */
import { InputError } from '../support/errors.js';
import type { ItemTrie } from './item-trie.js';

/** What another recommender says of the items after each prompt, and how much it counts. */
export interface Assistant {
  /** Of each prompt a score of every item, the larger the likelier, as logits are [U][V]. */
  scores: readonly ArrayLike<number>[];
  /** Share of the assistant in a step's log-probability, in [0, 1]; 0 leaves the model's own. */
  weight: number;
}

/**
 * Log-probability of each node among its siblings, by the assistant; 0 for the root.
 * @param scores of every item of the trie [V] @returns [N]
 * @throws InputError if there is not a score for each item of the trie, or one is not finite
 * @example // items 0 (tokens 1, 3), 1 (1, 4) and 2 (2): equal scores give log 2/3 and log 1/3 at the root, then log 1/2
 */
export function assistantLogProbs(trie: ItemTrie, scores: ArrayLike<number>): Float64Array {
  const { childStart, itemStart, items } = trie;
  const missing = items.find((item) => !Number.isFinite(scores[item]));
  if (missing !== undefined) {
    throw new InputError(
      `assistant: expected a finite score of every item, got ${String(scores[missing])} for item ${missing}; train it on this catalogue`,
    );
  }
  if (scores.length !== items.length) {
    throw new InputError(
      `assistant: expected scores of ${items.length} items, got ${scores.length}; train it on this catalogue`,
    );
  }
  const mass = new Float64Array(childStart.length - 1);
  for (let node = mass.length - 1; node >= 0; node--) {
    const [first, end] = [childStart[node]!, childStart[node + 1]!];
    mass[node] =
      first === end
        ? logSumExp(itemStart[node]!, itemStart[node + 1]!, (at) => scores[items[at]!]!)
        : logSumExp(first, end, (edge) => mass[edge + 1]!);
  }
  const shares = new Float64Array(mass.length);
  for (let node = 0; node < mass.length; node++) {
    for (let edge = childStart[node]!; edge < childStart[node + 1]!; edge++) {
      shares[edge + 1] = mass[edge + 1]! - mass[node]!;
    }
  }
  return shares;
}

/** Of the values at places from `first` to before `end`. */
function logSumExp(first: number, end: number, at: (place: number) => number): number {
  let top = -Infinity;
  for (let i = first; i < end; i++) top = Math.max(top, at(i));
  let sum = 0;
  for (let i = first; i < end; i++) sum += Math.exp(at(i) - top);
  return top + Math.log(sum);
}
