/**
 * Beams that grow under the trie: what a search of the best ones and one that draws them have in common.
 */
import type { LanguageModel } from '../lm/language-model.js';
import { type Continuations, type Normalize, scoreContinuations } from './continuations.js';
import type { ForestCache } from './forest-cache.js';
import type { ItemTrie } from './item-trie.js';

/** A sequence of legal tokens. */
export interface Beam {
  /** Node of the trie. */
  node: number;
  /** Sum of its tokens' log-probabilities. */
  score: number;
  /** Node of the cache that holds its last token, or that of its parent while it is not grown. */
  at: number;
  /** Where the continuations of its node are scored; undefined while it is not grown. */
  scored: Place | undefined;
}

/** A row of scored nodes. */
export interface Place {
  /** Of one pass. */
  rows: ScoredRows;
  row: number;
}

/** What one pass through the model scored. */
export interface ScoredRows extends Continuations {
  /** 1 where a row continues the row before it, whose only continuation it is. */
  forced: Uint8Array;
}

/** Whether a sequence ends at a node. */
export function isLeaf({ childStart }: ItemTrie, node: number): boolean {
  return childStart[node] === childStart[node + 1];
}

/** The only child of a node; undefined where there are several, or none. */
function onlyChild({ childStart }: ItemTrie, node: number): number | undefined {
  return childStart[node + 1]! - childStart[node]! === 1 ? childStart[node]! + 1 : undefined;
}

/** The beam at a child of its node. @param score of its tokens, the child's among them */
export function advance({ at, scored }: Beam, node: number, score: number): Beam {
  const { rows, row } = scored!;
  const known = rows.forced[row + 1] === 1;
  return { node, score, at: known ? at + 1 : at, scored: known ? { rows, row: row + 1 } : undefined };
}

/**
 * Entropy of the distribution over the legal continuations of each beam's node, in nats; none where there is no choice.
 */
export function entropies({ childStart }: ItemTrie, beams: readonly Beam[]): number[] {
  return beams.flatMap(({ node, scored }) => {
    const count = childStart[node + 1]! - childStart[node]!;
    return count > 1
      ? [entropy(scored!.rows.logProb.subarray(scored!.rows.start[scored!.row]!).subarray(0, count))]
      : [];
  });
}

/** @param logits of a distribution, up to a constant */
function entropy(logits: Float64Array): number {
  const top = logits.reduce((most, x) => Math.max(most, x), -Infinity);
  let [sum, weighted] = [0, 0];
  for (const x of logits) {
    sum += Math.exp(x - top);
    weighted += Math.exp(x - top) * (x - top);
  }
  return Math.log(sum) - weighted / sum;
}

/** A beam whose tokens are all forced from here on is complete: over the legal continuations they are certain. */
export function finishForced(trie: ItemTrie, beam: Beam): void {
  let { node } = beam;
  for (let next = onlyChild(trie, node); next !== undefined; next = onlyChild(trie, node)) node = next;
  if (isLeaf(trie, node)) beam.node = node;
}

/** Runs the beams that are not complete through the model, each with the tokens that are forced after it. */
export function growBeams(
  model: LanguageModel,
  trie: ItemTrie,
  cache: ForestCache,
  beams: readonly Beam[][],
  normalize: Normalize,
): void {
  const [nodes, parents, users, forced]: [number[], number[], number[], number[]] = [[], [], [], []];
  const grown: { beam: Beam; row: number }[] = [];
  const first = cache.size;
  beams.forEach((of, user) => {
    for (const beam of of) {
      if (beam.scored || isLeaf(trie, beam.node)) continue;
      grown.push({ beam, row: nodes.length });
      let parent = beam.at;
      for (let node: number | undefined = beam.node; node !== undefined && !isLeaf(trie, node);) {
        forced.push(node === beam.node ? 0 : 1);
        parents.push(parent);
        parent = first + nodes.length;
        nodes.push(node);
        users.push(user);
        node = onlyChild(trie, node);
      }
    }
  });
  if (nodes.length === 0) return;
  const hidden = cache.grow(
    Int32Array.from(nodes, (node) => trie.childToken[node - 1]!),
    parents,
  );
  const scored = scoreContinuations(model, trie, Int32Array.from(nodes), hidden, normalize, (row) => users[row]!);
  const rows = { ...scored, forced: Uint8Array.from(forced) };
  for (const { beam, row } of grown) [beam.at, beam.scored] = [first + row, { rows, row }];
}
