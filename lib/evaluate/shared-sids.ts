/**
 * What the probability of a SID is for, where several items have it. The model tells of SIDs, not of items: for each of n
 * items of one SID the sum of its tokens' log-probabilities is that of all n together. Taken for each in full (MiniOneRec
 * compares SIDs, so there it is one entry), n items come to the front that are no likelier than others, and push whatever
 * has a SID of its own out of the list. Split evenly, p(item) = p(SID) / n, probabilities of items sum to 1, and the
 * list is that of the likeliest items as far as SIDs tell them apart.
 */
import { type SidIndex, sidOwners } from '../data/sid-index.js';

/** Whether every item of a SID has its probability, or a part of it. */
export const SHARED_SIDS = ['each', 'split'] as const;

/**
 * What is added to each item's score, -log n.
 * @returns undefined where every item has a SID of its own
 * @example splitSharedSids([['<a_1>'], ['<a_1>'], ['<a_2>']]) // [-0.6931, -0.6931, 0]
 */
export function splitSharedSids(index: SidIndex): Float64Array | undefined {
  const owners = sidOwners(index);
  return owners.some((count) => count > 1) ? Float64Array.from(owners, (count) => Math.log(1 / count)) : undefined;
}
