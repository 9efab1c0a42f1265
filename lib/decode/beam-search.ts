/**
 * Beam search under the item trie: every beam ends as an item, no item comes twice.
 *
 * Follows MiniOneRec's constrained decoding. Departures:
 *   1. a beam with one legal child takes it without a choice; scores may be normalised over the legal continuations;
 *   2. equal scores: the beam with the smaller item id below it comes first;
 *   3. items that share a SID follow one another by item id, with the same score;
 *   4. scores that are not finite are an error, never a ranking.
 *
 * Shapes: U users, B beams, V vocabulary, A alphabet of the trie, D width.
 */
import * as tf from '@tensorflow/tfjs';
import { outputTable } from '../lm/lora/adapted-weights.js';
import type { LanguageModel } from '../lm/language-model.js';
import { gatherRows, tableLogits } from '../ops/split-table.js';
import { checkFinite } from './finite-scores.js';
import type { ItemTrie } from './item-trie.js';
import { PrefixCache } from './prefix-cache.js';

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
  normalize?: 'full' | 'legal';
}

/** The items of one user, best first. */
export interface Ranking {
  /** Item ids, best first. */
  items: number[];
  /** Sum of log-probabilities of the item's tokens, one an item; finite. */
  scores: number[];
}

interface Beam {
  /** Node of the trie. */
  node: number;
  score: number;
  /** Grown node of the cache that holds the beam's last token; -1 before the first. */
  grown: number;
  token: number;
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
  const cache = new PrefixCache(model, prompts);
  try {
    let beams: Beam[][] = prompts.map(() => [{ node: 0, score: 0, grown: -1, token: -1 }]);
    let hidden = cache.last.clone();
    let grown = 0;
    let width = 1; // hidden rows a user
    for (;;) {
      const scores = legalScores(model, trie, hidden, normalize);
      hidden.dispose();
      const rows = prompts.length * width;
      checkFinite('beamSearch', model, scores.values, rows, (row) => Math.floor(row / width));
      beams = beams.map((of, u) => expand(trie, of, scores, u * width, numBeams, normalize));
      if (normalize === 'legal') beams.forEach((of) => of.forEach((beam) => finishForced(trie, beam)));
      if (beams.every((of) => of.every(({ node }) => trie.nodes[node]!.tokens.length === 0))) break;
      width = Math.max(...beams.map((of) => of.length));
      hidden = growBeams(cache, beams, width);
      for (const of of beams) of.forEach((beam, b) => (beam.grown = grown + b));
      grown += width;
    }
    return beams.map((of) => rank(trie, of, numBeams));
  } finally {
    cache.dispose();
  }
}

interface Scores {
  /** [rows * A]: log-probabilities (`full`) or logits (`legal`). */
  values: Float32Array;
  /** Column of a token of the alphabet. */
  column: Map<number, number>;
}

/** Scores of the trie's alphabet after each hidden state [rows, D]; the rest of the vocabulary only sums up. */
function legalScores(model: LanguageModel, trie: ItemTrie, hidden: tf.Tensor2D, normalize: 'full' | 'legal'): Scores {
  const column = new Map([...trie.alphabet].map((token, i) => [token, i]));
  const scores = tf.tidy(() => {
    const output = outputTable(model.config, model.weights);
    const alphabet = tf.tensor1d(trie.alphabet, 'int32');
    if (normalize === 'legal') return tf.matMul(hidden, gatherRows(output, alphabet), false, true);
    const logits = tableLogits(hidden, output, model.config.precision);
    return tf.sub(tf.gather(logits, alphabet, 1), tf.logSumExp(logits, 1, true));
  });
  const values = scores.dataSync<'float32'>(); // outside of tidy, which would walk every number of an array
  scores.dispose();
  return { values, column };
}

/** The best continuations of a user's beams; a beam that is complete stays as it is. */
function expand(
  trie: ItemTrie,
  beams: Beam[],
  scores: Scores,
  firstRow: number,
  numBeams: number,
  normalize: string,
): Beam[] {
  const candidates: Beam[] = [];
  const width = scores.column.size;
  beams.forEach((beam, b) => {
    const { tokens, children } = trie.nodes[beam.node]!;
    if (tokens.length === 0) return void candidates.push(beam);
    const base = (firstRow + b) * width;
    const legal = tokens.map((token) => scores.values[base + scores.column.get(token)!]!);
    const total = normalize === 'legal' ? logSumExp(legal) : 0;
    tokens.forEach((token, i) =>
      candidates.push({ node: children[i]!, score: beam.score + legal[i]! - total, grown: beam.grown, token }),
    );
  });
  const first = (beam: Beam): number => trie.nodes[beam.node]!.firstItem;
  return candidates.sort((a, b) => b.score - a.score || first(a) - first(b)).slice(0, numBeams);
}

/** A beam whose tokens are all forced from here on is complete: over the legal continuations they are certain. */
function finishForced(trie: ItemTrie, beam: Beam): void {
  let node = beam.node;
  while (trie.nodes[node]!.children.length === 1) node = trie.nodes[node]!.children[0]!;
  if (trie.nodes[node]!.children.length === 0) beam.node = node;
}

/** One new node a beam. Users with fewer beams repeat their last one, which nobody reads. @returns [U * width, D] */
function growBeams(cache: PrefixCache, beams: Beam[][], width: number): tf.Tensor2D {
  const padded = beams.map((of) => Array.from({ length: width }, (_, b) => of[Math.min(b, of.length - 1)]!));
  return cache.grow(
    padded.map((of) => of.map(({ token }) => token)),
    padded.map((of) => of.map(({ grown }) => grown)),
  );
}

function rank(trie: ItemTrie, beams: Beam[], limit: number): Ranking {
  const flat = beams.flatMap(({ node, score }) => trie.nodes[node]!.items.map((item) => ({ item, score })));
  const kept = flat.slice(0, limit);
  return { items: kept.map(({ item }) => item), scores: kept.map(({ score }) => score) };
}

function logSumExp(values: number[]): number {
  const top = values.reduce((most, value) => Math.max(most, value), -Infinity);
  return top + Math.log(values.reduce((sum, value) => sum + Math.exp(value - top), 0));
}
