/** A walk through one case: what the model thought at each step of the target's SID, and of the SID that won. */
import { beamSearch } from '../../decode/beam-search.js';
import type { Normalize } from '../../decode/continuations.js';
import type { Recommender } from '../../evaluate/recommender.js';
import { InputError } from '../../support/errors.js';

/** A token of an item's path. */
export interface WalkStep {
  /** As the tokenizer writes it. */
  token: string;
  /** Given all before it, in (0, 1]. */
  probability: number;
}

/** Two paths through the trie. */
export interface CaseWalk {
  /** Item ids. */
  target: number;
  winner: number;
  /** One a token, the end of the answer among them. */
  targetPath: WalkStep[];
  winnerPath: WalkStep[];
  /** Tokens that both have from the root on. */
  shared: number;
}

/** What is walked. */
export interface WalkedCase {
  /** Item ids, oldest first. */
  history: readonly number[];
  /** Item id. */
  target: number;
  /** Item id of what won; default the best item for the history. */
  winner?: number;
}

/**
 * @param normalize what a step's probabilities are normalised over: the `legal` continuations add up to 1. Default `legal`
 * @throws InputError for an item that the index lacks
 */
export function walkCase(
  { model, tokenizer, render, trie, index }: Recommender,
  { history, target, winner: given }: WalkedCase,
  normalize: Normalize = 'legal',
): CaseWalk {
  for (const item of [...history, target, ...(given === undefined ? [] : [given])]) {
    if (index[item] !== undefined) continue;
    throw new InputError(
      `walkCase: expected items from 0 to ${index.length - 1}, got ${item}; take those of the index`,
    );
  }
  const prompt = render.prompt([...history], target);
  const winner = given ?? beamSearch(model, trie, [prompt], { numBeams: 10, normalize })[0]!.items[0]!;
  const found = beamSearch(model, trie, [prompt, prompt], { numBeams: 1, normalize, targets: [target, winner] });
  const [targetPath, winnerPath] = [target, winner].map((item, i) =>
    render.answer(item).map((id, step): WalkStep => ({
      token: tokenizer.decode([id]).trim() || 'end',
      probability: Math.exp(found[i]!.targetLogProbs![step]!),
    })),
  ) as [WalkStep[], WalkStep[]];
  const differ = targetPath.findIndex(({ token }, step) => token !== winnerPath[step]?.token);
  return { target, winner, targetPath, winnerPath, shared: differ < 0 ? targetPath.length : differ };
}
