/**
 * What training starts from: a model folder, or random weights of a shape: of words such as `qwen2:128x4`, or of a folder
 * with `config.json` alone (MiniOneRec's `train_from_scratch`). Such a folder's `tokenizer.json` is used where it has one.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Item } from '../../data/dataset.js';
import { itemText } from '../../data/item-text.js';
import type { SidIndex } from '../../data/sid-index.js';
import { SID_TOKENS, type SidTokens } from '../../lm/choices.js';
import { type ModelConfig, parseShape } from '../../lm/config.js';
import { isBare, loadModel, modelConfig } from '../../lm/model.js';
import { type LanguageModel } from '../../lm/language-model.js';
import { bpeTokenizer, checkVocabSize } from '../../lm/tokenizer/bpe-tokenizer.js';
import { EMBEDDING_INITS, type EmbeddingInit } from '../../lm/choices.js';
import { extendVocabulary, INIT_NOISE } from '../../lm/tokenizer/extend-vocabulary.js';
import { SID_VOCABULARIES, type SidVocabulary } from '../../lm/choices.js';
import { loadTokenizer, type TextTokenizer, wordTokenizer } from '../../lm/tokenizer/tokenizer.js';
import { randomWeights } from '../../lm/weights.js';
import { InputError } from '../../support/errors.js';
import { holdsText, type Template, TEMPLATES, templateWords } from '../../tasks/templates.js';
import { type TrainableOptions, trainableModel, sidRows } from './trainable.js';

/** Options of `initialModel`. */
export interface InitialModelOptions extends TrainableOptions {
  /** What the model is to read and write; default the kit's templates of SIDs alone. */
  templates?: readonly Template[];
  /** The shop's items: their texts make the vocabulary of a shape, and rows from titles. */
  items?: readonly Item[];
  /** Default `new`. */
  sidTokens?: SidTokens;
  /** Default `used`. */
  sidVocabulary?: SidVocabulary;
  /** Default `mean`. */
  init?: EmbeddingInit;
  /** Deviation of new rows about their start, in deviations of the old ones. Default 1; of a model with weights alone. */
  initNoise?: number | undefined;
  /** Tokens of a shape's subword vocabulary. Default 8192. */
  vocabSize?: number;
}

/** The model that training begins with. */
export interface InitialModel {
  /** Before training. */
  model: LanguageModel;
  /** Of the model. */
  tokenizer: TextTokenizer;
  /** SID tokens that joined a folder's vocabulary, and those that it had. */
  sids?: { added: number; reused: number };
}

/** What can be said of the options before anything is loaded. @throws InputError for what does not fit */
export function checkInitialModel(
  from: string,
  options: Pick<InitialModelOptions, 'sidTokens' | 'sidVocabulary' | 'init' | 'initNoise' | 'vocabSize'>,
): void {
  const { sidTokens = 'new', sidVocabulary = 'used', init = 'mean', initNoise, vocabSize } = options;
  const among = (flag: string, known: readonly string[], given: string): void => {
    if (!known.includes(given)) throw new InputError(`--${flag}: expected ${known.join(' or ')}, got ${given}`);
  };
  among('sid-tokens', SID_TOKENS, sidTokens);
  among('sid-vocabulary', SID_VOCABULARIES, sidVocabulary);
  among('init', EMBEDDING_INITS, init);
  if (startsBare(from) && (init !== 'mean' || initNoise !== undefined)) {
    const flag = init === 'mean' ? '--init-noise' : `--init ${init}`;
    throw new InputError(`${flag}: expected --model to be a folder with weights, whose rows it reads, got ${from}`);
  }
  if (vocabSize !== undefined) checkVocabSize(vocabSize);
}

/** @param from a model folder, whose vocabulary gets what it lacks of the index, or a shape */
export function initialModel(
  from: string,
  index: SidIndex,
  seed: number,
  options: InitialModelOptions = {},
): InitialModel {
  checkInitialModel(from, options);
  const { sidTokens = 'new', sidVocabulary = 'used', init = 'mean', initNoise = INIT_NOISE, items = [] } = options;
  if (isShape(from) || (isBare(from) && !existsSync(join(from, 'tokenizer.json')))) {
    const tokenizer = shapeTokenizer(index, options);
    const { vocabSize } = tokenizer;
    const config = isShape(from) ? parseShape(from, vocabSize, 0) : withVocabulary(modelConfig(from), vocabSize);
    const model = { config, weights: randomWeights(config, seed) };
    return { model: trainableModel(model, from, options, { added: 0 }, seed), tokenizer };
  }
  const [loaded, given] = [isBare(from) ? randomModel(from, seed) : loadModel(from), loadTokenizer(from)];
  if (sidTokens === 'subwords')
    return { model: trainableModel(loaded, from, options, { added: 0 }, seed), tokenizer: given };
  const { vocabSize: loadedRows } = loaded.config;
  const { model, tokenizer, added, reused, missingRows } = extendVocabulary(loaded, given, index, seed, {
    sids: sidVocabulary,
    init,
    noise: initNoise,
    items,
  });
  const missing = Array.from({ length: missingRows }, (_, i) => loadedRows + i);
  const counts = { added: added.length + missingRows, rows: () => sidRows(tokenizer, added, reused, missing) };
  const sids = { added: added.length, reused: reused.length };
  return { model: trainableModel(model, from, options, counts, seed), tokenizer, sids };
}

/** A folder's shape for a vocabulary of our own, whose end of text is 0: the folder's end tokens are words there. */
function withVocabulary({ eosTokenIds: _, ...shape }: ModelConfig, vocabSize: number): ModelConfig {
  return { ...shape, vocabSize, eosTokenId: 0 };
}

function randomModel(folder: string, seed: number): LanguageModel {
  const config = modelConfig(folder);
  return { config, weights: randomWeights(config, seed), folders: [folder] };
}

/** Whether all weights are drawn, so that there are no old rows that new ones could be like. */
export function startsBare(from: string): boolean {
  return isShape(from) || isBare(from);
}

/** Whether a `model` option is a shape such as `qwen2:128x4` rather than a folder. */
export function isShape(from: string): boolean {
  return /^(qwen2|qwen3|llama):/.test(from);
}

/** Words where SIDs are all that a model reads beside its prompt templates, else subwords of the data set's own texts. */
function shapeTokenizer(index: SidIndex, options: InitialModelOptions): TextTokenizer {
  const { templates, items = [], sidTokens = 'new', sidVocabulary = 'used', vocabSize } = options;
  const spelled = sidTokens === 'subwords';
  if (!spelled && !templates?.some(holdsText)) return wordTokenizer(templateWords(templates), index, sidVocabulary);
  const texts = [
    ...(templates ?? [TEMPLATES.sids!, TEMPLATES.words!]).flatMap(({ prompts }) => prompts.map(withoutPlaces)),
    ...items
      .map((item) => itemText(item))
      .flatMap((text) => [text.title, text.description, text.brand, text.categories]),
    ...(spelled ? index.map((tokens) => tokens.join('')) : []),
  ];
  return bpeTokenizer(texts, index, { sids: spelled ? 'none' : sidVocabulary, ...(vocabSize && { vocabSize }) });
}

function withoutPlaces(text: string): string {
  return text.replace(/\{\w+\}/g, ' ');
}
