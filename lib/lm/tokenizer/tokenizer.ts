/**
 * Tokenizers in Hugging Face's `tokenizer.json`, and a word-level one for models from random weights: the words of the
 * templates, and one token per SID code.
 */
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import type { SidIndex } from '../../data/sid-index.js';
import { readJson } from '../../files/files.js';
import { isGguf } from '../../files/gguf/gguf-file.js';
import { InputError } from '../../support/errors.js';
import { SID_VOCABULARIES, type SidVocabulary } from '../choices.js';
import { largest } from '../../support/extremes.js';
import { ggufTokenizerText } from '../gguf/gguf-tokenizer.js';

/** The end of text of the kit's own vocabularies, and of Qwen's. */
export const END_OF_TEXT = '<|endoftext|>';
const UNKNOWN = '<unk>';

/** Between texts and token ids. */
export interface TextTokenizer {
  /** Token ids of a text, nothing put before or after. */
  encode(text: string): number[];
  /** The text of token ids, control tokens included. */
  decode(ids: readonly number[]): string;
  /** Whether a text is one token of the vocabulary. */
  has(token: string): boolean;
  /** @throws InputError if the vocabulary lacks the token */
  tokenId(token: string): number;
  /** The largest token id, plus one. */
  vocabSize: number;
  /** Tokens put before every text by the tokenizer's own rule (Llama's begin of text); mostly nothing. */
  begin: readonly number[];
  /** Control tokens, which no item's text may spell. */
  special: readonly string[];
  /** `tokenizer.json`'s text. */
  json: string;
}

/** What is read of `tokenizer.json`. */
interface TokenizerFile {
  model: { vocab: Record<string, number>; unk_token?: string | null };
  added_tokens: { id: number; content: string; special: boolean }[];
}

/** @param source the file, for the error's text @throws InputError for one that is damaged, or not read here */
export function parseTokenizer(json: string, source: string): TextTokenizer {
  const raw = checkedTokenizer(JSON.parse(json), source);
  const { added_tokens: added, model } = raw;
  const tokenizer = createTokenizer(raw, source);
  const ids = [...Object.values(model.vocab), ...added.map(({ id }) => id)];
  // the library leaves a word that a word-level vocabulary lacks undefined
  const unknown = typeof model.unk_token === 'string' ? tokenizer.token_to_id(model.unk_token) : undefined;
  const known = (id: number | undefined, text: string): number => {
    if (id === undefined && unknown === undefined)
      throw new InputError(`${source}: cannot encode ${JSON.stringify(text)}`);
    return id ?? unknown!;
  };
  return {
    encode(text) {
      const ids: (number | undefined)[] = tokenizer.encode(text, { add_special_tokens: false }).ids;
      return ids.map((id) => known(id, text));
    },
    decode: (ids) =>
      ids.length === 0
        ? ''
        : tokenizer.decode([...ids], { skip_special_tokens: false, clean_up_tokenization_spaces: false }),
    has: (token) => tokenizer.token_to_id(token) !== undefined,
    tokenId(token) {
      const id = tokenizer.token_to_id(token);
      if (id === undefined)
        throw new InputError(`${source}: the vocabulary lacks ${token}; is the index of this model?`);
      return id;
    },
    begin: beginOf(tokenizer),
    special: added.flatMap(({ content, special }) => (special ? [content] : [])),
    vocabSize: ids.reduce((most, id) => Math.max(most, id), -1) + 1,
    json,
  };
}

function checkedTokenizer(raw: unknown, source: string): TokenizerFile {
  const { model, added_tokens: added } = (raw ?? {}) as {
    model?: Partial<TokenizerFile['model']>;
    added_tokens?: unknown;
  };
  const vocab: unknown = model?.vocab;
  if (typeof vocab !== 'object' || vocab === null) {
    throw new InputError(`${source}: no model.vocab; is it a tokenizer.json?`);
  }
  if (Array.isArray(vocab)) {
    throw new InputError(
      `${source}: expected a vocabulary of ids, got a list (Unigram), which is not read; take another model`,
    );
  }
  const isId = (id: unknown): boolean => Number.isSafeInteger(id) && (id as number) >= 0;
  const odd = Object.entries(vocab).find(([, id]) => !isId(id));
  if (odd) throw new InputError(`${source}: the id of ${JSON.stringify(odd[0])} cannot be ${JSON.stringify(odd[1])}; fetch it anew`); // prettier-ignore
  const tokens = added ?? [];
  const fits = (token: unknown): boolean => {
    const { id, content } = (token ?? {}) as { id?: unknown; content?: unknown };
    return isId(id) && typeof content === 'string';
  };
  if (!Array.isArray(tokens) || !tokens.every(fits)) {
    throw new InputError(`${source}: expected added_tokens to be a list of {id, content}; fetch it anew`);
  }
  return { ...(raw as TokenizerFile), added_tokens: tokens as TokenizerFile['added_tokens'] };
}

/** What the library refuses, such as a normalizer that it does not know, in one line. */
function createTokenizer(raw: TokenizerFile, source: string): Tokenizer {
  try {
    return new Tokenizer(raw, {});
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    throw new InputError(`${source}: the tokenizer is damaged or not read here (${reason}); take another model`);
  }
}

/** What the post-processor puts before a text. */
function beginOf(tokenizer: Tokenizer): number[] {
  const ids = (add_special_tokens: boolean): (number | undefined)[] =>
    tokenizer.encode('0', { add_special_tokens }).ids;
  const [bare] = ids(false);
  const whole = ids(true);
  const before = whole.slice(0, Math.max(0, whole.indexOf(bare)));
  return before.every((id) => id !== undefined) ? (before as number[]) : [];
}

/** @param folder or GGUF file @throws InputError if the folder has no `tokenizer.json`, or the file none that is read */
export function loadTokenizer(folder: string): TextTokenizer {
  if (isGguf(folder)) return parseTokenizer(ggufTokenizerText(folder, 'tokenizer.json')!, folder);
  const file = join(folder, 'tokenizer.json');
  return parseTokenizer(JSON.stringify(readJson(file, 'the model folder needs its tokenizer')), file);
}

/**
 * A word-level `tokenizer.json`: end of text 0, unknown 1, then `words` in the order of first occurrence, then the SID
 * tokens, level by level and by code. SID tokens are added tokens: they need no space between.
 */
export function wordTokenizer(words: readonly string[], index: SidIndex, sids: SidVocabulary = 'used'): TextTokenizer {
  const vocabulary = [...new Set([END_OF_TEXT, UNKNOWN, ...words])];
  const vocab = Object.fromEntries(vocabulary.map((word, id) => [word, id]));
  const json = JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [
      ...addedTokens([END_OF_TEXT], 0, true),
      ...addedTokens(sidVocabulary(index, sids), vocabulary.length),
    ],
    normalizer: null,
    pre_tokenizer: { type: 'Whitespace' },
    post_processor: null,
    decoder: null,
    model: { type: 'WordLevel', vocab, unk_token: UNKNOWN },
  });
  return parseTokenizer(json, 'tokenizer.json');
}

/** Entries of `added_tokens`, ids rising from `first`. */
export function addedTokens(tokens: readonly string[], first: number, special = false): Record<string, unknown>[] {
  const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false, special };
  return tokens.map((content, i) => ({ id: first + i, content, ...plain }));
}

/**
 * Tokens of an index by level and code. `all` fills every level up to the largest code of any, so that items that come
 * later find their tokens.
 */
export function sidVocabulary(index: SidIndex, sids: SidVocabulary): string[] {
  const all = [...new Set(index.flat())];
  const marks = all.filter((token) => !CODE.test(token)); // what OpenOneRec's spelling has around the codes
  const used = all.filter((token) => CODE.test(token)).sort(byLevelAndCode);
  switch (sids) {
    case 'used':
      return [...marks, ...used];
    case 'all': {
      const codes = 1 + largest(used.map((token) => parts(token)[1]));
      const levels = [...new Set(used.map((token) => parts(token)[0]))];
      const every = levels.flatMap((level) => Array.from({ length: codes }, (_, code) => `<${level}_${code}>`));
      return [...marks, ...every];
    }
    default:
      throw new InputError(`--sid-vocabulary: expected ${SID_VOCABULARIES.join(' or ')}, got ${sids satisfies never}`);
  }
}

/** Order of SID tokens: by level, then by code as a number. */
export function byLevelAndCode(a: string, b: string): number {
  const [levelA, codeA] = parts(a);
  const [levelB, codeB] = parts(b);
  return levelA < levelB ? -1 : levelA > levelB ? 1 : codeA - codeB;
}

/** A token that stands for a code. */
const CODE = /_\d+>$/;

/** `<b_200>` -> `['b', 200]`, `<s_b_200>` -> `['s_b', 200]` */
function parts(token: string): [string, number] {
  const at = token.lastIndexOf('_');
  return [token.slice(1, at), Number(token.slice(at + 1, -1))];
}
