/**
 * Log-probabilities of the legal continuations of nodes of the trie, and of nothing else.
 *
 * Shapes: R rows (a node of the trie each), D width, E continuations of all rows together.
 */
import * as tf from '@tensorflow/tfjs';
import { outputTable } from '../lm/lora/adapted-weights.js';
import type { LanguageModel } from '../lm/language-model.js';
import { type LegalSets, legalScores, rowOfEach } from '../ops/legal-scores.js';
import { tableLogSumExp } from '../ops/table-log-sum-exp.js';
import { checkFinite } from './finite-scores.js';
import type { ItemTrie } from './item-trie.js';

/** What a step's log-probabilities are normalised over. */
export type Normalize = 'full' | 'legal';

/** Scored nodes of the trie. */
export interface Continuations {
  /** First entry of each row in `logProb`, and their number at the end [R + 1]; a row's are its node's edges, in order. */
  start: Int32Array;
  /** [E] */
  logProb: Float64Array;
}

/**
 * @param nodes of the trie [R] @param hidden states that they are continued from [R, D], freed here
 * @param promptOf prompt of a row, for the error
 * @throws NonFiniteScores if a score is NaN or infinite, for the first such row
 */
export function scoreContinuations(
  model: LanguageModel,
  trie: ItemTrie,
  nodes: Int32Array,
  hidden: tf.Tensor2D,
  normalize: Normalize,
  promptOf: (row: number) => number,
): Continuations {
  const { start, token } = legalTokens(trie, nodes);
  const output = outputTable(model.config, model.weights);
  const scores = tf.tidy(() => legalScores(hidden, output, { start, token }));
  const sums = normalize === 'full' ? tableLogSumExp(hidden, output, model.config.precision) : undefined;
  // read outside of tidy, which would walk every number of an array
  const logits = scores.dataSync<'float32'>();
  const totals = sums?.dataSync<'float32'>() ?? rowTotals(start, logits);
  tf.dispose([hidden, scores, ...(sums ? [sums] : [])]);
  const row = rowOfEach({ start, token });
  const logProb = Float64Array.from(logits, (logit, e) => logit - totals[row[e]!]!);
  checkFinite('beamSearch', model, logProb, (e) => promptOf(row[e]!));
  return { start, logProb };
}

/** The tokens that may follow each node. */
function legalTokens({ childStart, childToken }: ItemTrie, nodes: Int32Array): LegalSets {
  const start = new Int32Array(nodes.length + 1);
  nodes.forEach((node, row) => (start[row + 1] = start[row]! + childStart[node + 1]! - childStart[node]!));
  const token = new Int32Array(start[nodes.length]!);
  nodes.forEach((node, row) => token.set(childToken.subarray(childStart[node], childStart[node + 1]), start[row]));
  return { start, token };
}

/** Logarithm of each row's sum of exponentials [R]. */
function rowTotals(start: Int32Array, logits: Float32Array): Float64Array {
  const totals = new Float64Array(start.length - 1);
  for (let row = 0; row < totals.length; row++) {
    let top = -Infinity;
    for (let e = start[row]!; e < start[row + 1]!; e++) top = Math.max(top, logits[e]!);
    let sum = 0;
    for (let e = start[row]!; e < start[row + 1]!; e++) sum += Math.exp(logits[e]! - top);
    totals[row] = top + Math.log(sum);
  }
  return totals;
}
