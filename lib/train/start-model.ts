/** What training starts from: a model folder, or random weights of a shape. */
import {
  extendVocabulary,
  loadModel,
  loadTokenizer,
  parseShape,
  randomWeights,
  templateWords,
  wordTokenizer,
} from '../lm/index.js';
import type { LanguageModel, TextTokenizer } from '../lm/index.js';
import type { SidIndex } from '../sid/index-file.js';

/** @param from a model folder, whose vocabulary gets what it lacks of the index, or a shape */
export function startModel(
  from: string,
  index: SidIndex,
  seed: number,
): { model: LanguageModel; tokenizer: TextTokenizer } {
  if (!/^(qwen2|qwen3|llama):/.test(from)) return extendVocabulary(loadModel(from), loadTokenizer(from), index, seed);
  const tokenizer = wordTokenizer(templateWords(), index);
  const config = parseShape(from, tokenizer.vocabSize, 0);
  return { model: { config, weights: randomWeights(config, seed) }, tokenizer };
}
