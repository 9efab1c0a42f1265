/**
 * A byte-level `tokenizer.json` trained on the catalogue's own texts, for models from random weights that read and write
 * titles. Hugging Face's tokenizers and transformers load it, with the same ids.
 */
import type { SidIndex } from '../../data/sid-index.js';
import { InputError } from '../../support/errors.js';
import { type SidVocabulary } from '../choices.js';
import { addedTokens, END_OF_TEXT, parseTokenizer, sidVocabulary, type TextTokenizer } from './tokenizer.js';
import { BPE_VOCABULARY, trainBpe } from './train-bpe.js';

/** The size of a vocabulary, and its SID tokens. */
export interface BpeTokenizerOptions {
  /** Tokens of the vocabulary, end of text and bytes included; SID tokens come on top. Default 8192. */
  vocabSize?: number;
  /** Which SID tokens join; `none` where SIDs are spelled in subwords. Default `used`. */
  sids?: SidVocabulary | 'none';
}

/** End of text 0, the bytes, what was merged, then the SID tokens by level and code. */
export function bpeTokenizer(
  texts: Iterable<string>,
  index: SidIndex,
  options: BpeTokenizerOptions = {},
): TextTokenizer {
  const { vocabSize = BPE_VOCABULARY, sids = 'used' } = options;
  checkVocabSize(vocabSize);
  const { vocab, merges } = trainBpe(texts, { vocabSize });
  const added = sids === 'none' ? [] : sidVocabulary(index, sids);
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  const json = JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [...addedTokens([END_OF_TEXT], 0, true), ...addedTokens(added, 1 + vocab.size)],
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries([[END_OF_TEXT, 0], ...vocab]),
      merges,
    },
  });
  return parseTokenizer(json, 'tokenizer.json');
}

/** @throws InputError for a vocabulary that cannot spell every byte */
export function checkVocabSize(vocabSize: number): void {
  if (Number.isInteger(vocabSize) && vocabSize >= 257) return;
  throw new InputError(`--vocab-size: expected at least 257, the bytes and the end of text, got ${vocabSize}`);
}
