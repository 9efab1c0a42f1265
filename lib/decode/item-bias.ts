/**
 * Scores of items that are not the model's alone: a number is added to each item's sum of log-probabilities.
 *
 * The search compares beams by what the best item below them could still get: the sum so far and the largest number below.
 * It is an upper bound, exact at a leaf, so that an item with a large number is not lost because its neighbours have
 * small ones.
 */
import type { ItemTrie } from './item-trie.js';

/** @param bias of each item [items] @returns the largest at or below each node of the trie [N] */
export function nodeBias({ childStart, itemStart, items }: ItemTrie, bias: ArrayLike<number>): Float64Array {
  const most = new Float64Array(childStart.length - 1).fill(-Infinity);
  for (let node = most.length - 1; node >= 0; node--) {
    // children have larger numbers than their parent
    for (let i = itemStart[node]!; i < itemStart[node + 1]!; i++) most[node] = Math.max(most[node]!, bias[items[i]!]!);
    for (let edge = childStart[node]!; edge < childStart[node + 1]!; edge++) {
      most[node] = Math.max(most[node]!, most[edge + 1]!);
    }
  }
  return most;
}
