/**
 * Items drawn under the trie, without replacement: every text of a prompt's draws is another item (or a SID that some
 * items share).
 *
 *   sequences   stochastic beam search (Kool, van Hoof & Welling, "Stochastic beams and where to find them", ICML 2019):
 *               exactly as if items were drawn one after the other from the model's distribution over the trie, a drawn
 *               one left out from then on. The first of them is a plain ancestral sample.
 *   beams       beams drawn every step, in proportion to their probability so far (transformers' `generate` with
 *               `num_beams` and `do_sample`, as in MiniOneRec's rollouts): what it draws follows no stated distribution
 *               over items, since a beam that has lost a step is out, whatever would have followed.
 *
 * A step's distribution is the model's over the legal continuations of a node, its logits divided by the temperature,
 * then cut to the nucleus (`topP`) and scaled to 1. Departures: transformers draws twice as many beams a step, keeps
 * the better half and applies its warpers over the vocabulary, before the constraint.
 */
import type { LanguageModel } from '../lm/language-model.js';
import { InputError } from '../support/errors.js';
import { Random } from '../support/random.js';
import { BestCandidates } from './best-candidates.js';
import type { Ranking } from './beam-search.js';
import { type Normalize, scoreContinuations } from './continuations.js';
import { ForestCache } from './forest-cache.js';
import { nucleus } from './generate-nucleus.js';
import type { ItemTrie } from './item-trie.js';
import { targetLogProbs } from './target-paths.js';
import { advance, type Beam, finishForced, growBeams, isLeaf, entropies } from './trie-beams.js';

/** What is drawn: whole sequences, or the beams of every step. */
export const SAMPLE_METHODS = ['sequences', 'beams'] as const;
/** A word of `SAMPLE_METHODS`. */
export type SampleMethod = (typeof SAMPLE_METHODS)[number];

/** How items are drawn. */
export interface SampleItemsOptions {
  /** Distinct texts a prompt; fewer where the trie, or what the nuclei leave of it, has fewer. Default 16. */
  count?: number;
  /** Logits are divided by it, above 0. Default 1. */
  temperature?: number;
  /** Steps keep to the fewest best continuations that together have this probability, in (0, 1]. Default 1: all. */
  topP?: number;
  /** Default `sequences`. */
  method?: SampleMethod;
  /** What the scores are normalised over; draws are over the legal continuations in any case. Default `full`. */
  normalize?: Normalize;
  /** An item of each prompt whose own log-probabilities are told too, drawn or not. Default none. */
  targets?: readonly number[];
  /** Number of the first prompt, where the prompts are a part of more. Default 0. */
  offset?: number;
  /** A prompt's draws depend on the seed and its own number alone. */
  seed: number | string;
}

/** Items in the order of their draws; those of one SID follow one another. */
export interface SampledItems extends Ranking {
  /** Logarithm of the probability that a first draw is the item's SID [items]. */
  logProbs: number[];
  /** Mean entropy of the policy over the legal continuations of the nodes that were visited, in nats. */
  entropy: number;
}

interface DrawnBeam extends Beam {
  /** log of the probability of its tokens under what is drawn from. */
  logProb: number;
  /** Its log-probability, perturbed by a Gumbel variable: what decides which beams stay. */
  key: number;
}

/**
 * @param prompts token ids [U][...]
 * @returns the draws of each prompt
 * @throws InputError for an option out of range; NonFiniteScores as `beamSearch`
 */
export function sampleItems(
  model: LanguageModel,
  trie: ItemTrie,
  prompts: readonly (readonly number[])[],
  options: SampleItemsOptions,
): SampledItems[] {
  const { count = 16, temperature = 1, topP = 1, method = 'sequences', normalize = 'full' } = options;
  const { targets, offset = 0, seed } = options;
  expect('count', Number.isInteger(count) && count >= 1, 'a positive integer', count);
  expect('temperature', temperature > 0 && Number.isFinite(temperature), 'above 0', temperature);
  expect('topP', topP > 0 && topP <= 1, 'above 0 and at most 1', topP);
  if (prompts.length === 0) return [];
  const cache = new ForestCache(model, prompts);
  const best = new BestCandidates(Math.min(count, trie.leaves));
  const drawing = prompts.map((_, u) => ({ random: new Random(`${seed}/${offset + u}`), temperature, topP, method }));
  try {
    const roots = new Int32Array(prompts.length);
    const scored = scoreContinuations(model, trie, roots, cache.last.clone(), normalize, (row) => row);
    const ofTargets = targets && targetLogProbs(model, trie, cache, scored, targets, normalize);
    const rows = { ...scored, forced: new Uint8Array(prompts.length) };
    let beams = prompts.map((_, row): DrawnBeam[] => [
      { node: 0, score: 0, at: cache.ends[row]!, scored: { rows, row }, logProb: 0, key: 0 },
    ]);
    const visited = prompts.map((): number[] => []);
    for (;;) {
      beams.forEach((of, u) => visited[u]!.push(...entropies(trie, of)));
      beams = beams.map((of, u) => drawStep(trie, of, best, drawing[u]!));
      if (normalize === 'legal') beams.forEach((of) => of.forEach((beam) => finishForced(trie, beam)));
      if (beams.every((of) => of.every(({ node }) => isLeaf(trie, node)))) break;
      growBeams(model, trie, cache, beams, normalize);
    }
    return beams.map((of, u) => ({
      ...{ ...itemsOf(trie, of), entropy: mean(visited[u]!) },
      ...(ofTargets && { targetLogProbs: ofTargets[u]! }),
    }));
  } finally {
    cache.dispose();
  }
}

function expect(name: string, right: boolean, what: string, got: number): void {
  if (!right) throw new InputError(`sampleItems: expected ${name} to be ${what}, got ${got}`);
}

interface Drawing {
  random: Random;
  temperature: number;
  topP: number;
  method: SampleMethod;
}

/** One step of a prompt's draws. */
function drawStep(trie: ItemTrie, beams: readonly DrawnBeam[], best: BestCandidates, drawing: Drawing): DrawnBeam[] {
  const { childStart, firstItem } = trie;
  const steps = beams.map((beam, b): Step => {
    const step = isLeaf(trie, beam.node) ? undefined : logShares(trie, beam, drawing);
    const keys = keysOf(beam, step, drawing);
    keys.forEach((key, c) => {
      if (key === -Infinity) return;
      const node = step ? childStart[beam.node]! + c + 1 : beam.node;
      best.offer(key, firstItem[node]!, node, b);
    });
    return { logShare: step };
  });
  const { score: key, node, beam } = best.take();
  return Array.from(node, (to, i): DrawnBeam => {
    const from = beams[beam[i]!]!;
    const { logShare } = steps[beam[i]!]!;
    if (!logShare) return { ...from, key: key[i]! };
    const child = to - 1 - childStart[from.node]!;
    const { rows, row } = from.scored!;
    const score = from.score + rows.logProb[rows.start[row]! + child]!;
    return { ...advance(from, to, score), logProb: from.logProb + logShare[child]!, key: key[i]! };
  });
}

interface Step {
  /** Of each continuation; undefined at a leaf. */
  logShare: Float64Array | undefined;
}

/** log of the share of each continuation of a beam in what is drawn from; -Infinity outside the nucleus. */
function logShares(
  { childStart }: ItemTrie,
  { node, scored }: DrawnBeam,
  { temperature, topP }: Drawing,
): Float64Array {
  const { rows, row } = scored!;
  const from = rows.start[row]!;
  const logits = Float64Array.from(
    { length: childStart[node + 1]! - childStart[node]! },
    (_, c) => rows.logProb[from + c]! / temperature,
  );
  const top = logits.reduce((most, x) => Math.max(most, x), -Infinity);
  const total = top + Math.log(logits.reduce((sum, x) => sum + Math.exp(x - top), 0));
  const shares = logits.map((x) => x - total);
  if (topP === 1) return shares;
  const kept = nucleus(shares.map(Math.exp), topP);
  const cut = new Float64Array(shares.length).fill(-Infinity);
  kept.tokens.forEach((child, i) => (cut[child] = Math.log(kept.shares[i]!)));
  return cut;
}

/**
 * What decides between continuations. Of whole sequences: Gumbel variables of the continuations' log-probabilities,
 * given that the largest of them is the beam's own key (Kool et al., section 4.1 and appendix B.3); of beams: new ones.
 */
function keysOf(
  beam: DrawnBeam,
  logShare: Float64Array = Float64Array.of(0), // complete: its own only continuation
  { random, method }: Drawing,
): Float64Array {
  const drawn = logShare.map((share) => (share === -Infinity ? share : beam.logProb + share + gumbel(random)));
  if (method === 'beams') return drawn;
  const top = drawn.reduce((most, x) => Math.max(most, x), -Infinity);
  return drawn.map((x) => (x === -Infinity ? x : conditioned(beam.key, x, top)));
}

/** A Gumbel variable, given that the largest one is `limit` and not `top`. */
function conditioned(limit: number, drawn: number, top: number): number {
  const v = limit - drawn + logOneMinusExp(drawn - top);
  return limit - Math.max(0, v) - Math.log1p(Math.exp(-Math.abs(v)));
}

/** log(1 - exp(x)) for x <= 0, exact near 0 as well. */
function logOneMinusExp(x: number): number {
  return x > -Math.LN2 ? Math.log(-Math.expm1(x)) : Math.log1p(-Math.exp(x));
}

function gumbel(random: Random): number {
  return -Math.log(-Math.log(random.next() + 2 ** -33)); // never log 0
}

function itemsOf({ itemStart, items }: ItemTrie, beams: readonly DrawnBeam[]): Omit<SampledItems, 'entropy'> {
  const drawn: Omit<SampledItems, 'entropy'> = { items: [], scores: [], logProbs: [] };
  for (const { node, score, logProb } of beams) {
    for (let i = itemStart[node]!; i < itemStart[node + 1]!; i++) {
      drawn.items.push(items[i]!);
      drawn.scores.push(score);
      drawn.logProbs.push(logProb);
    }
  }
  return drawn;
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, x) => sum + x, 0) / values.length;
}
