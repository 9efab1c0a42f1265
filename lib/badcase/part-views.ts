/**
 * What detectors are given. Of a joined folder, whose rows are ranked each among the items of its own data set, they are
 * given one data set after the other: a share of the interactions, the first part of the rows or items drawn at random
 * would mean nothing over shops that have nothing in common.
 */
import type { Dataset } from '../data/dataset.js';
import { partView } from '../data/join/parts.js';
import { buildTrie } from '../decode/item-trie.js';
import type { Recommender } from '../evaluate/recommender.js';
import type { Result } from '../evaluate/result.js';
import { rowSlice } from '../files/npy.js';
import type { DetectorInputs } from './detector.js';

/** What was given beside results and data set. */
export interface GivenInputs {
  index?: DetectorInputs['index'] | undefined;
  vectors?: DetectorInputs['vectors'] | undefined;
  model?: Recommender | undefined;
}

/** Rows of one data set, everything with the ids that it had alone. */
export interface AnalysedPart extends GivenInputs {
  /** Places of the rows among all results. */
  places: number[];
  results: readonly Result[];
  dataset: Dataset;
}

/** One for each data set that has rows; one of all where the folder is of one, or lists have items of other data sets. */
export function analysedParts(results: readonly Result[], dataset: Dataset, inputs: GivenInputs): AnalysedPart[] {
  const whole: AnalysedPart = { places: [...results.keys()], results, dataset, ...inputs };
  if (!dataset.parts) return [whole];
  const parts: AnalysedPart[] = [];
  for (const { name } of dataset.parts) {
    const { dataset: own, firstItem } = partView(dataset, name);
    const inside = (id: number): boolean => id >= firstItem && id < firstItem + own.items.length;
    const places = whole.places.filter((row) => inside(results[row]!.target));
    if (places.some((row) => ![...results[row]!.items, ...results[row]!.history].every(inside))) return [whole];
    if (places.length === 0) continue;
    const moved = places.map((row) => movedResult(results[row]!, -firstItem));
    parts.push({ places, results: moved, dataset: own, ...partInputs(inputs, firstItem, own.items.length) });
  }
  return parts.length > 0 ? parts : [whole];
}

/** The share of some inputs that items from `firstItem` on have. */
export function partInputs({ index, vectors, model }: GivenInputs, firstItem: number, items: number): GivenInputs {
  const end = firstItem + items;
  return {
    ...(index && { index: index.slice(firstItem, end) }),
    ...(vectors && { vectors: rowSlice(vectors, firstItem, end) }),
    ...(model && { model: partModel(model, firstItem, items) }),
  };
}

/** The same model, which is asked by the ids of one data set and recommends its items alone. */
function partModel({ model, tokenizer, render, index }: Recommender, firstItem: number, items: number): Recommender {
  const answer: Recommender['render']['answer'] = (item, history) =>
    render.answer(
      item + firstItem,
      history?.map((id) => id + firstItem),
    );
  return {
    model,
    tokenizer,
    render: {
      answer,
      prompt: (history, item, variant) =>
        render.prompt(
          history.map((id) => id + firstItem),
          item === undefined ? item : item + firstItem,
          variant,
        ),
      get truncated() {
        return render.truncated;
      },
    },
    trie: buildTrie(Array.from({ length: items }, (_, item) => answer(item))),
    index: index.slice(firstItem, firstItem + items),
  };
}

function movedResult(result: Result, by: number): Result {
  return {
    ...result,
    history: result.history.map((id) => id + by),
    target: result.target + by,
    items: result.items.map((id) => id + by),
  };
}
