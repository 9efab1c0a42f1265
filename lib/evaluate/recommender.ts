/**
 * A language model that recommends: model, tokenizer, prompt template and items together, from a model folder and an
 * index.
 */
import type { SidIndex } from '../data/sid-index.js';
import { buildTrie, type ItemTrie } from '../decode/item-trie.js';
import { type LoadOptions, loadModel } from '../lm/model.js';
import { type LanguageModel } from '../lm/language-model.js';
import type { ChatTemplate } from '../lm/tokenizer/chat-template.js';
import { loadTokenizer, type TextTokenizer } from '../lm/tokenizer/tokenizer.js';
import { InputError } from '../support/errors.js';
import { createRenderer, type Renderer, type RendererOptions } from '../tasks/prompts.js';
import {
  findTemplate,
  placeholdersIn,
  ranksItems,
  type Template,
  TEMPLATES,
  type Templates,
  SID_PLACEHOLDERS,
} from '../tasks/templates.js';
import { SID_TOKENS, type SidTokens } from '../lm/choices.js';

/** Options of `createRecommender` and `loadRecommender`. */
export interface RecommenderOptions extends Omit<RendererOptions, 'end' | 'chat'> {
  /** Default `new`. */
  sidTokens?: SidTokens;
  /** Default: the kit's own. */
  templates?: Templates;
  /** Wraps prompts as a user's message. Default: none. */
  chat?: ChatTemplate | undefined;
}

/** All that it takes to recommend: a model, its tokenizer, its prompts, and the items. */
export interface Recommender {
  /** Scores tokens. */
  model: LanguageModel;
  /** Of the model. */
  tokenizer: TextTokenizer;
  /** Makes prompts and answers of rows. */
  render: Renderer;
  /** The items that may be recommended. */
  trie: ItemTrie;
  /** SIDs of the items. */
  index: SidIndex;
}

/**
 * @param template name of a task that answers with a SID, or with a title: items of one title are then found together
 * @throws InputError for another task, if the tokenizer lacks a token of the index or cannot spell it, or if the model
 *   has no row for one of the tokenizer's tokens
 */
export function createRecommender(
  model: LanguageModel,
  tokenizer: TextTokenizer,
  index: SidIndex,
  template: string,
  options: RecommenderOptions = {},
): Recommender {
  const { sidTokens = 'new', templates = TEMPLATES, ...others } = options;
  const found = findTemplate(template, templates);
  if (!ranksItems(found)) {
    const ranked = Object.keys(templates).filter((name) => ranksItems(templates[name]!));
    throw new InputError(
      `template: expected one that answers with a SID or a title (${ranked.join(', ')}), got ${template}`,
    );
  }
  if (asksForSids(found)) checkVocabulary(tokenizer, index, sidTokens);
  const render = modelRenderer(model, tokenizer, index, found, others);
  return { model, tokenizer, render, trie: buildTrie(index.map((_, item) => render.answer(item))), index };
}

/**
 * A template's renderer for a model, whatever it answers with.
 * @throws InputError if the model has no row for one of the tokenizer's tokens, or the tokenizer lacks the model's end
 */
export function modelRenderer(
  { config }: LanguageModel,
  tokenizer: TextTokenizer,
  index: SidIndex,
  template: Template,
  { chat, ...options }: Omit<RecommenderOptions, 'sidTokens' | 'templates'> = {},
): Renderer {
  checkTableSize(config, tokenizer);
  const ends = [template.answer, ...template.prompts].some((text) => placeholdersIn(text).includes('end'));
  const end = ends ? endToken(tokenizer, config.eosTokenId) : undefined;
  return createRenderer(template, index, tokenizer, { ...options, ...(chat && { chat }), ...(end && { end }) });
}

/** Whether a SID stands in prompt or answer; titles alone ask nothing of the vocabulary. */
function asksForSids({ answer, prompts }: Template): boolean {
  return [answer, ...prompts].flatMap((text) => placeholdersIn(text)).some((name) => SID_PLACEHOLDERS.includes(name));
}

/** The text of the model's end of text. @throws InputError if the tokenizer has no such token */
function endToken(tokenizer: TextTokenizer, id: number): string {
  if (id < 0) {
    throw new InputError(
      "model: its config.json names no end of text (eos_token_id), which the template's {end} stands for; add it",
    );
  }
  const text = id < tokenizer.vocabSize ? tokenizer.decode([id]) : '';
  if (!tokenizer.has(text) || tokenizer.tokenId(text) !== id) {
    throw new InputError(
      `tokenizer: it lacks the end token ${id} of the model's config.json (eos_token_id); mend either`,
    );
  }
  return text;
}

function checkVocabulary(tokenizer: TextTokenizer, index: SidIndex, sidTokens: SidTokens): void {
  const tokens = [...new Set(index.flat())];
  const known = tokens.find((token) => tokenizer.has(token));
  switch (sidTokens) {
    case 'new':
      tokens.forEach((token) => tokenizer.tokenId(token));
      break;
    case 'subwords':
      if (known !== undefined) {
        throw new InputError(`--sid-tokens subwords: ${known} is a token of the vocabulary; take --sid-tokens new`);
      }
      tokens.forEach((token) => checkSpelling(tokenizer, token));
      break;
    default:
      throw new InputError(`--sid-tokens: expected ${SID_TOKENS.join(' or ')}, got ${sidTokens satisfies never}`);
  }
}

/** The table may have more rows (padding), never fewer: an id beyond it would read another row, or none. */
function checkTableSize({ vocabSize }: LanguageModel['config'], tokenizer: TextTokenizer): void {
  if (tokenizer.vocabSize <= vocabSize) return;
  throw new InputError(
    `tokenizer: expected ids below ${vocabSize}, the rows of the model's embedding table, got ${tokenizer.vocabSize - 1}; ` +
      "take the model's own tokenizer, or resize the table (resize_token_embeddings in Python)",
  );
}

function checkSpelling(tokenizer: TextTokenizer, token: string): void {
  const spelled = tokenizer.decode(tokenizer.encode(token));
  if (spelled.trim() === token) return;
  throw new InputError(`--sid-tokens subwords: the vocabulary spells ${token} as ${spelled}; take --sid-tokens new`);
}

/**
 * A recommender from a model folder.
 * @param template name of the task that is asked
 * @throws InputError for a folder, index or template that does not fit
 */
export function loadRecommender(
  folder: string,
  index: SidIndex,
  template: string,
  { precision, ...options }: RecommenderOptions & Pick<LoadOptions, 'precision'> = {},
): Recommender {
  const model = loadModel(folder, { frozen: true, ...(precision && { precision }) });
  return createRecommender(model, loadTokenizer(folder), index, template, options);
}
