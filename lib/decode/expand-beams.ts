/**
 * A step of the search: the best continuations of a user's beams. What a token adds to a beam's score is the model's
 * log-probability, mixed with the assistant's where there is one (`assistant.ts`); beams are compared by their scores and
 * the most that the items below them get beside (`item-bias.ts`).
 */
import type { BestCandidates } from './best-candidates.js';
import type { ItemTrie } from './item-trie.js';
import { advance, type Beam, isLeaf } from './trie-beams.js';

/** What of a search concerns one user's step. */
export interface StepSettings {
  /** Nodes that are not entered. */
  closed?: ReadonlySet<number> | undefined;
  /** The assistant's log-probabilities of the nodes [N], and its share. */
  assisted?: { logProb: Float64Array; weight: number } | undefined;
  /** The most that an item at or below each node gets beside its score [N]. */
  bias?: Float64Array | undefined;
}

/** The beams after the step, best first; one that is complete stays as it is. */
export function expandBeams(
  trie: ItemTrie,
  beams: readonly Beam[],
  best: BestCandidates,
  { closed, assisted, bias }: StepSettings,
): Beam[] {
  const { childStart, firstItem } = trie;
  const atMost = bias ? (node: number, score: number): number => score + bias[node]! : (_: number, score: number) => score; // prettier-ignore
  const added = ({ node, scored }: Beam, child: number): number => {
    const { rows, row } = scored!;
    const own = rows.logProb[rows.start[row]! + child - 1 - childStart[node]!]!;
    return assisted ? own + assisted.weight * (assisted.logProb[child]! - own) : own;
  };
  beams.forEach((of, b) => {
    const { node, score } = of;
    if (isLeaf(trie, node)) return best.offer(atMost(node, score), firstItem[node]!, node, b);
    for (let child = childStart[node]! + 1; child <= childStart[node + 1]!; child++) {
      if (!closed?.has(child)) best.offer(atMost(child, score + added(of, child)), firstItem[child]!, child, b);
    }
  });
  const { node, beam } = best.take();
  return Array.from(node, (to, i): Beam => {
    const from = beams[beam[i]!]!;
    return to === from.node ? from : advance(from, to, from.score + added(from, to));
  });
}
