/**
 * A language model that recommends: model, tokenizer, wording and items together, from a model folder and an index.
 */
import { buildTrie } from '../decode/index.js';
import type { ItemTrie } from '../decode/index.js';
import { createRenderer, findTemplate, loadModel, loadTokenizer } from '../lm/index.js';
import type { LanguageModel, Renderer, TextTokenizer } from '../lm/index.js';
import type { SidIndex } from '../sid/index-file.js';
import { InputError } from '../support/index.js';

export interface Recommender {
  model: LanguageModel;
  tokenizer: TextTokenizer;
  render: Renderer;
  trie: ItemTrie;
  index: SidIndex;
}

/** @throws InputError if the tokenizer lacks a token of the index, or the model a row for one of its tokens */
export function createRecommender(
  model: LanguageModel,
  tokenizer: TextTokenizer,
  index: SidIndex,
  template: string,
): Recommender {
  index.flat().forEach((token) => tokenizer.tokenId(token));
  if (tokenizer.vocabSize > model.config.vocabSize) {
    throw new InputError(
      `tokenizer: expected at most ${model.config.vocabSize} tokens, the model's vocabulary, got ${tokenizer.vocabSize}`,
    );
  }
  const render = createRenderer(findTemplate(template), index, tokenizer);
  return { model, tokenizer, render, trie: buildTrie(index.map((_, item) => render.answer(item))), index };
}

export function loadRecommender(folder: string, index: SidIndex, template: string): Recommender {
  return createRecommender(loadModel(folder), loadTokenizer(folder), index, template);
}
