/** A model that recommends with the prompts that it was trained with. */
import type { Dataset } from '../data/dataset.js';
import type { SidIndex } from '../data/sid-index.js';
import { promptWords } from '../tasks/prompt-words.js';
import { loadRecommender, type Recommender } from './recommender.js';
import { promptOptions, trainedWith } from './trained-with.js';

/** @param model folder @throws InputError as `loadRecommender` */
export function loadAsTrained(model: string, index: SidIndex, dataset: Dataset): Recommender {
  const prompts = trainedWith(model);
  const reading = promptOptions(prompts, model, dataset.items, promptWords(dataset));
  return loadRecommender(model, index, prompts.template ?? 'sids', reading);
}
