/**
 * Beam search under the item trie: every beam ends as an item, no item comes twice.
 *
 * Follows MiniOneRec's constrained decoding. Departures:
 *   1. only the trie's continuations are scored; scores may be normalised over them;
 *   2. a chain of forced tokens goes through the model in one pass, though its scores are added step by step, so that
 *      beams are compared as if it had not; a beam that is complete takes no part in a step;
 *   3. equal scores: the beam with the smaller item id below it comes first;
 *   4. items that share a SID follow one another by item id, with the same score;
 *   5. scores that are not finite are an error, never a ranking.
 */
import type { LanguageModel } from '../lm/language-model.js';
import { BestCandidates } from './best-candidates.js';
import { type Continuations, type Normalize, scoreContinuations } from './continuations.js';
import { ForestCache } from './forest-cache.js';
import type { ItemTrie } from './item-trie.js';

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
}

/** The items of one user, best first. */
export interface Ranking {
  /** Item ids, best first. */
  items: number[];
  /** Sum of log-probabilities of the item's tokens, one an item; finite. */
  scores: number[];
}

/** A sequence of legal tokens. */
interface Beam {
  /** Node of the trie. */
  node: number;
  score: number;
  /** Node of the cache that holds its last token, or that of its parent while it is not grown. */
  at: number;
  /** Where the continuations of its node are scored; undefined while it is not grown. */
  scored: Place | undefined;
}

/** A row of scored nodes. */
interface Place {
  rows: ScoredRows;
  row: number;
}

/** What one pass through the model scored. */
interface ScoredRows extends Continuations {
  /** 1 where a row continues the row before it, whose only continuation it is. */
  forced: Uint8Array;
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
  const { numBeams = NUM_BEAMS, normalize = 'full' } = options;
  if (!Number.isInteger(numBeams) || numBeams < 1) {
    throw new RangeError(`beamSearch: expected numBeams to be a positive integer, got ${numBeams}`);
  }
  if (prompts.length === 0) return [];
  const cache = new ForestCache(model, prompts);
  const best = new BestCandidates(Math.min(numBeams, trie.leaves));
  try {
    const roots = new Int32Array(prompts.length);
    const scored = scoreContinuations(model, trie, roots, cache.last.clone(), normalize, (row) => row);
    const rows = { ...scored, forced: new Uint8Array(prompts.length) };
    let beams = prompts.map((_, row): Beam[] => [{ node: 0, score: 0, at: cache.ends[row]!, scored: { rows, row } }]);
    for (;;) {
      beams = beams.map((of) => expand(trie, of, best));
      if (normalize === 'legal') beams.forEach((of) => of.forEach((beam) => finishForced(trie, beam)));
      if (beams.every((of) => of.every(({ node }) => isLeaf(trie, node)))) break;
      growBeams(model, trie, cache, beams, normalize);
    }
    return beams.map((of) => rank(trie, of, numBeams));
  } finally {
    cache.dispose();
  }
}

function isLeaf({ childStart }: ItemTrie, node: number): boolean {
  return childStart[node] === childStart[node + 1];
}

/** The only child of a node; undefined where there are several, or none. */
function onlyChild({ childStart }: ItemTrie, node: number): number | undefined {
  return childStart[node + 1]! - childStart[node]! === 1 ? childStart[node]! + 1 : undefined;
}

/** The best continuations of a user's beams; a beam that is complete stays as it is. */
function expand(trie: ItemTrie, beams: readonly Beam[], best: BestCandidates): Beam[] {
  const { childStart, firstItem } = trie;
  beams.forEach(({ node, score, scored }, b) => {
    if (isLeaf(trie, node)) return best.offer(score, firstItem[node]!, node, b);
    const { rows, row } = scored!;
    let from = rows.start[row]!;
    for (let edge = childStart[node]!; edge < childStart[node + 1]!; edge++) {
      best.offer(score + rows.logProb[from++]!, firstItem[edge + 1]!, edge + 1, b);
    }
  });
  const { score, node, beam } = best.take();
  return Array.from(node, (to, i): Beam => {
    const { node: before, at, scored } = beams[beam[i]!]!;
    const own = { node: to, score: score[i]! };
    if (to === before) return { ...own, at, scored };
    const next = scored!.row + 1;
    const known = scored!.rows.forced[next] === 1;
    return { ...own, at: known ? at + 1 : at, scored: known ? { rows: scored!.rows, row: next } : undefined };
  });
}

/** A beam whose tokens are all forced from here on is complete: over the legal continuations they are certain. */
function finishForced(trie: ItemTrie, beam: Beam): void {
  let { node } = beam;
  for (let next = onlyChild(trie, node); next !== undefined; next = onlyChild(trie, node)) node = next;
  if (isLeaf(trie, node)) beam.node = node;
}

/** Runs the beams that are not complete through the model, each with the tokens that are forced after it. */
function growBeams(
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

function rank({ itemStart, items }: ItemTrie, beams: readonly Beam[], limit: number): Ranking {
  const ranking: Ranking = { items: [], scores: [] };
  for (const { node, score } of beams) {
    for (let i = itemStart[node]!; i < itemStart[node + 1]! && ranking.items.length < limit; i++) {
      ranking.items.push(items[i]!);
      ranking.scores.push(score);
    }
  }
  return ranking;
}
