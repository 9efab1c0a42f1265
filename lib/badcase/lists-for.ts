/** A model's lists for histories that are no rows of the data, as detectors ask for them. */
import { beamSearch } from '../decode/beam-search.js';
import { cutByTokens } from '../evaluate/cut-by-tokens.js';
import type { Recommender } from '../evaluate/recommender.js';

/** Distinct tokens of a batch. */
const TOKENS = 4096;

/** The first `topK` items for each history, best first. */
export function listsFor(
  { model, trie, render }: Recommender,
  histories: readonly number[][],
  topK: number,
): number[][] {
  const prompts = histories.map((history) => render.prompt(history, 0));
  const lists = new Array<number[]>(histories.length);
  for (const batch of cutByTokens(prompts, TOKENS, topK)) {
    const found = beamSearch(model, trie, batch.map((i) => prompts[i]!), { numBeams: topK }); // prettier-ignore
    batch.forEach((i, b) => (lists[i] = found[b]!.items));
  }
  return lists;
}
