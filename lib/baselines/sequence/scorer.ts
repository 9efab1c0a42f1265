/**
 * A trained baseline as a function from histories to scores of items: for GRPO's `sasrec` reward, or a cell of one's own.
 * It holds the weights until it is disposed of.
 */
import { ensureEngine } from '../../engine/engine.js';
import { hashFile, hashText } from '../../files/files.js';
import { disposeWeights } from '../../lm/weights.js';
import { modelFiles } from '../../runs/inputs.js';
import { InputError } from '../../support/errors.js';
import { valuesOf } from '../../support/values-of.js';
import { ARCHITECTURES } from './architectures.js';
import type { Architecture } from './architecture.js';
import { scoreItems } from './rank-items.js';
import { readSequenceConfig } from './sequence-files.js';
import { loadSequence } from './train-sequence.js';

/** Numbers of a block: every item's score after some of the histories. */
const SCORES_AT_ONCE = 1 << 24;

/** Scores items after histories: a `Scorer` of GRPO's, with what it holds. */
export interface LoadedScorer {
  /**
   * Scores of the items of each history: higher is likelier to come next; products of vectors, not probabilities.
   * @throws InputError for an empty history, and for an item of another catalogue
   * @param histories item ids, oldest first, each of one or more; the latest count where there are too many
   * @param items of each history, in any order @returns in the order of `items`
   */
  (histories: readonly (readonly number[])[], items: readonly (readonly number[])[]): number[][];
  /** Items of the catalogue. */
  readonly items: number;
  /** SHA-256 of the model's files: a run of GRPO that is resumed asks for the same. */
  readonly identity: string;
  /** Frees the weights. */
  dispose(): void;
}

/** @param folder `model/` of a trained baseline's run @throws InputError if it is not one */
export async function loadScorer(folder: string): Promise<LoadedScorer> {
  await ensureEngine();
  const { baseline, size } = readSequenceConfig(folder);
  const trained = await loadSequence(architectureOf(baseline, folder), folder);
  const score = (histories: readonly (readonly number[])[], items: readonly (readonly number[])[]): number[][] => {
    const without = histories.findIndex((history) => history.length === 0);
    if (without >= 0)
      throw new InputError(`scorer: expected histories of one item or more, number ${without} is empty`);
    for (const ids of [...histories, ...items]) checkItems(ids, size.items, folder);
    const atOnce = Math.max(1, Math.floor(SCORES_AT_ONCE / size.items));
    const scores: number[][] = [];
    for (let first = 0; first < histories.length; first += atOnce) {
      const block = histories.slice(first, first + atOnce);
      const all = valuesOf(() => scoreItems(trained, block));
      block.forEach((_, b) => scores.push(items[first + b]!.map((item) => all[b * size.items + item]!)));
    }
    return scores;
  };
  const identity = hashText(JSON.stringify(modelFiles(folder).map(([, path]) => hashFile(path))));
  return Object.assign(score, { items: size.items, identity, dispose: () => disposeWeights(trained.weights) });
}

/** An id beyond the catalogue would be the next history's item. */
function checkItems(ids: readonly number[], items: number, folder: string): void {
  for (const id of ids) {
    if (Number.isInteger(id) && id >= 0 && id < items) continue;
    throw new InputError(
      `scorer: expected items from 0 to ${items - 1}, those of ${folder}, got ${id}; train it on this catalogue`,
    );
  }
}

/** @throws InputError for a baseline that is not trained here */
export function architectureOf(name: string, folder: string): Architecture {
  const found = ARCHITECTURES.find((one) => one.name === name);
  if (found) return found;
  const names = ARCHITECTURES.map((one) => one.name).join(', ');
  throw new InputError(`${folder}: expected the model of one of ${names}, got ${name}`);
}
