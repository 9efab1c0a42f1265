/**
 * Beam search under the item trie: every beam ends as an item, no item comes twice.
 *
 * Follows MiniOneRec's constrained decoding. Departures:
 *   1. only the trie's continuations are scored; scores may be normalised over them;
 *   2. a chain of forced tokens goes through the model in one pass, though its scores are added step by step, so that
 *      beams are compared as if it had not; a beam that is complete takes no part in a step;
 *   3. equal scores: the beam with the smaller item id below it comes first;
 *   4. items that share a SID follow one another by item id, with the same score;
 *   5. scores that are not finite are an error, never a ranking;
 *   6. a number of each item's own may be added to its score (`item-bias.ts`).
 */
import type { LanguageModel } from '../lm/language-model.js';
import { type Assistant, assistantLogProbs } from './assistant.js';
import { BestCandidates } from './best-candidates.js';
import type { LengthOf } from './choices.js';
import { type Normalize, scoreContinuations } from './continuations.js';
import { ForestCache } from './forest-cache.js';
import { nodeBias } from './item-bias.js';
import type { ItemTrie } from './item-trie.js';
import { targetLogProbs } from './target-paths.js';
import { advance, type Beam, entropies, finishForced, growBeams, isLeaf } from './trie-beams.js';
import { choicesOf, closedNodes, depthOf } from './trie-paths.js';

/** Beams unless others are asked for. */
export const NUM_BEAMS = 50;

/** How wide the search is, and what its scores are normalised over. */
export interface BeamSearchOptions {
  /** Beams kept a step, and at most this many items a user. Default 50. */
  numBeams?: number;
  /**
   * What a step's log-probabilities are normalised over: the whole vocabulary (`full`, the reference's way) or the
   * trie's legal continuations (`legal`: one pass less, and a forced token is certain). Default `full`.
   */
  normalize?: Normalize;
  /** Items of each prompt that it must not find, such as those of the history [U]. Default none. */
  exclude?: readonly ReadonlySet<number>[];
  /**
   * An item's score is divided by the number of its tokens to this power: where SIDs differ in length, above 0 prefers
   * longer ones. It orders what the search found; the search itself compares sums. Default 0.
   */
  lengthPenalty?: number;
  /** Added to each item's score, after the length penalty; finite [items]. Default nothing. */
  itemBias?: ArrayLike<number> | undefined;
  /**
   * What `lengthPenalty` counts: all tokens of a SID, or those that the trie leaves a choice of. A token that is forced
   * has a probability near 1, so that dividing by it too raises the SIDs that have many of them (D3's ghost tokens).
   * Default `tokens`.
   */
  lengthOf?: LengthOf;
  /** Another recommender that takes part in every step. Default none. */
  assistant?: Assistant | undefined;
  /** Items a user at most; more than `numBeams` where items that share a SID shall all be told. Default `numBeams`. */
  maxItems?: number;
  /** Tell the mean entropy of each prompt's distributions too. Default false. */
  withEntropy?: boolean;
  /** An item of each prompt whose own log-probabilities are told too, found or not. Default none. */
  targets?: readonly number[];
}

/** The items of one user, best first. */
export interface Ranking {
  /** Item ids, best first. */
  items: number[];
  /**
   * Sum of the item's tokens' log-probabilities (with an assistant, mixed ones), through the length penalty, and its
   * bias; finite.
   */
  scores: number[];
  /** Of the target, where one was given: the model's own log-probability of each of its tokens; none for an id that is no item. */
  targetLogProbs?: number[];
  /** Where it was asked for: mean entropy over the legal continuations of the nodes that were visited, in nats. */
  entropy?: number;
}

/**
 * The best items after each prompt.
 * @param prompts token ids [U][...]
 * @returns one ranking a prompt
 * @throws NonFiniteScores if a score is NaN or infinite, for the first such prompt
 */
export function beamSearch(
  model: LanguageModel,
  trie: ItemTrie,
  prompts: readonly (readonly number[])[],
  options: BeamSearchOptions = {},
): Ranking[] {
  const { numBeams = NUM_BEAMS, normalize = 'full', targets, exclude, lengthPenalty = 0 } = options;
  const { maxItems = numBeams, withEntropy = false, itemBias, lengthOf = 'tokens', assistant } = options;
  if (!Number.isInteger(numBeams) || numBeams < 1) {
    throw new RangeError(`beamSearch: expected numBeams to be a positive integer, got ${numBeams}`);
  }
  checkLengths(prompts.length, {
    target: targets,
    'set to exclude': exclude,
    "row of the assistant's": assistant?.scores,
  });
  if (prompts.length === 0) return [];
  const cache = new ForestCache(model, prompts);
  const best = new BestCandidates(Math.min(numBeams, trie.leaves));
  try {
    const roots = new Int32Array(prompts.length);
    const scored = scoreContinuations(model, trie, roots, cache.last.clone(), normalize, (row) => row);
    const closed = exclude?.map((items) => closedNodes(trie, items));
    const assisted = assistant?.scores.map((scores): Assisted => {
      return { logProb: assistantLogProbs(trie, scores), weight: assistant.weight };
    });
    const ofTargets = targets && targetLogProbs(model, trie, cache, scored, targets, normalize);
    const rows = { ...scored, forced: new Uint8Array(prompts.length) };
    let beams = prompts.map((_, row): Beam[] => [{ node: 0, score: 0, at: cache.ends[row]!, scored: { rows, row } }]);
    const visited = prompts.map((): number[] => []);
    const bias = itemBias && nodeBias(trie, itemBias);
    for (;;) {
      if (withEntropy) beams.forEach((of, u) => visited[u]!.push(...entropies(trie, of)));
      beams = beams.map((of, u) => expand(trie, of, best, { closed: closed?.[u], bias, assisted: assisted?.[u] }));
      if (normalize === 'legal') beams.forEach((of) => of.forEach((beam) => finishForced(trie, beam)));
      if (beams.every((of) => of.every(({ node }) => isLeaf(trie, node)))) break;
      growBeams(model, trie, cache, beams, normalize);
    }
    return beams.map((of, u) => ({
      ...rank(trie, of, { maxItems, lengthPenalty, lengthOf, exclude: exclude?.[u], itemBias }),
      ...(ofTargets && { targetLogProbs: ofTargets[u]! }),
      ...(withEntropy && { entropy: mean(visited[u]!) }),
    }));
  } finally {
    cache.dispose();
  }
}

/** 0 of none. */
function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, x) => sum + x, 0) / values.length;
}

function checkLengths(prompts: number, lists: Record<string, readonly unknown[] | undefined>): void {
  for (const [what, list] of Object.entries(lists)) {
    if (list === undefined || list.length === prompts) continue;
    throw new RangeError(`beamSearch: expected a ${what} for each of ${prompts} prompts, got ${list.length}`);
  }
}

/** What an assistant says of the nodes after one prompt [N]. */
interface Assisted {
  logProb: Float64Array;
  weight: number;
}

interface ExpandSettings {
  closed: ReadonlySet<number> | undefined;
  bias: Float64Array | undefined;
  assisted: Assisted | undefined;
}

/** The best continuations of a user's beams, but for closed nodes; a beam that is complete stays as it is. */
function expand(
  trie: ItemTrie,
  beams: readonly Beam[],
  best: BestCandidates,
  { closed, bias, assisted }: ExpandSettings,
): Beam[] {
  const { childStart, firstItem } = trie;
  const atMost = bias ? (node: number, score: number): number => score + bias[node]! : (_: number, score: number) => score; // prettier-ignore
  beams.forEach(({ node, score, scored }, b) => {
    if (isLeaf(trie, node)) return best.offer(atMost(node, score), firstItem[node]!, node, b);
    const { rows, row } = scored!;
    let from = rows.start[row]!;
    for (let edge = childStart[node]!; edge < childStart[node + 1]!; edge++) {
      const logProb = mixed(rows.logProb[from++]!, edge + 1, assisted);
      if (!closed?.has(edge + 1)) best.offer(atMost(edge + 1, score + logProb), firstItem[edge + 1]!, edge + 1, b);
    }
  });
  const { score, node, beam } = best.take();
  return Array.from(node, (to, i): Beam => {
    const from = beams[beam[i]!]!;
    if (to === from.node) return from;
    return advance(from, to, bias ? from.score + mixed(logProbOf(trie, from, to), to, assisted) : score[i]!);
  });
}

/** The model's log p of a step to a node, or with an assistant the weighted mean of both. */
function mixed(own: number, node: number, assisted: Assisted | undefined): number {
  return assisted ? own + assisted.weight * (assisted.logProb[node]! - own) : own;
}

/** Of a child of a beam's node. */
function logProbOf({ childStart }: ItemTrie, { node, scored }: Beam, child: number): number {
  const { rows, row } = scored!;
  return rows.logProb[rows.start[row]! + child - 1 - childStart[node]!]!;
}

interface RankSettings {
  maxItems: number;
  lengthPenalty: number;
  lengthOf: LengthOf;
  exclude: ReadonlySet<number> | undefined;
  itemBias: ArrayLike<number> | undefined;
}

function rank(trie: ItemTrie, beams: readonly Beam[], settings: RankSettings): Ranking {
  const { itemStart, items } = trie;
  const { maxItems, lengthPenalty, lengthOf, exclude, itemBias } = settings;
  const lengthAt = lengthOf === 'tokens' ? depthOf : choicesOf;
  const penalized = (node: number, score: number): number =>
    lengthPenalty === 0 ? score : score / Math.max(1, lengthAt(trie, node)) ** lengthPenalty;
  const scored = beams.map(({ node, score }) => ({ node, score: penalized(node, score) }));
  if (lengthPenalty !== 0) scored.sort((a, b) => b.score - a.score); // stable: equal ones keep their order
  const found: { item: number; score: number }[] = [];
  const enough = itemBias ? Infinity : maxItems; // items of one SID may be far apart when each has its own number
  for (const { node, score } of scored) {
    for (let i = itemStart[node]!; i < itemStart[node + 1]! && found.length < enough; i++) {
      const item = items[i]!;
      if (!exclude?.has(item)) found.push({ item, score: score + (itemBias?.[item] ?? 0) });
    }
  }
  if (itemBias) found.sort((a, b) => b.score - a.score || a.item - b.item);
  const kept = found.slice(0, maxItems);
  return { items: kept.map(({ item }) => item), scores: kept.map(({ score }) => score) };
}
