/** The options of `embed`: those of LSA, and those of a sentence encoder. */
import { DATA_OPTIONS, SEED_OPTIONS } from '../data/data-options.js';
import { boolean, choice, integer, number, path, pathOrWord } from '../options/kinds.js';
import { defineOptions, type OptionsOf } from '../options/schema.js';
import type { Options } from '../options/option.js';
import type { Given } from '../options/schema.js';

/** Which tokens' vectors make the text's: the mean of all, the first, or the last. */
export const POOLINGS = ['mean', 'cls', 'last'] as const;
/** `mean`: of all tokens that are not padding; `cls`: the first token's vector; `last`: the last one's. */
export type Pooling = (typeof POOLINGS)[number];

/** The ONNX files that a model of the hub may come in. */
export const DTYPES_OF_MODELS = ['fp32', 'fp16', 'q8', 'int8', 'uint8', 'q4', 'bnb4', 'q4f16'] as const;

/** Declares the options of `tfidf`. */
export const TFIDF_OPTIONS = {
  sublinearTf: boolean('1 + ln tf in place of the count', { default: true }),
  stopWords: boolean('leave out English words without content', { default: true }),
  minDf: integer('drop terms in fewer texts than this', { default: 1 }),
  maxDf: number('drop terms in a larger share of the texts than this', { default: 1, above: 0, max: 1 }),
  ngrams: integer('longest run of words that makes a term', { default: 1 }),
} satisfies Options;

/** Declares the options of `lsa`. */
export const LSA_OPTIONS = {
  ...TFIDF_OPTIONS,
  ...SEED_OPTIONS,
  width: integer("the vectors' width, at most items - 1 and the number of terms", {
    otherwise: '384, in a catalogue of fewer than 1,536 items a quarter of them',
  }),
  iterations: integer('power iterations of the singular value decomposition', { default: 5, min: 0 }),
} satisfies Options;

/** How texts come in batches; any split gives the same vectors but for rounding. */
export const BATCH_OPTIONS = {
  batchSize: integer('texts in a batch at most', { default: 64 }),
  tokenBudget: integer('tokens in a batch at most, padding counted; a longer text is a batch by itself', {
    default: 2048,
  }),
} satisfies Options;

/** Declares the options of a sentence encoder. */
export const SENTENCE_OPTIONS = {
  pooling: choice(POOLINGS, "which tokens' vectors make the text's", { otherwise: "the model's own, else mean" }),
  cutoffLen: integer('tokens of a text at most; the rest is truncated', {
    otherwise: "2048, or the model's own if less",
  }),
  dtype: choice(DTYPES_OF_MODELS, "which of the model's ONNX files", { default: 'fp32' }),
  threads: integer('threads of the encoder', { otherwise: 'all processors', affectsResult: false }),
  ...BATCH_OPTIONS,
} satisfies Options;

/** How texts of items are made. */
export const ITEM_TEXT_OPTIONS = {
  cleanText: boolean(
    "clean texts as MiniOneRec's clean_text: tags, quotes out, one full stop; none of 2,000 characters",
  ),
  wordDropRatio: number('share of the words of a text that are left out, drawn by drop-seed', {
    default: 0,
    min: 0,
    below: 1,
  }),
  dropSeed: integer('decides which words', { default: 42, min: 0 }),
} satisfies Options;

/** Declares the options of `embed`; which of them count depends on the encoder. */
export const EMBED_OPTIONS = defineOptions(
  'embed',
  {
    ...DATA_OPTIONS,
    encoder: pathOrWord('lsa, a folder with a sentence encoder (ONNX or safetensors), or its id on the model hub', {
      default: 'lsa',
    }),
    sidsOf: path("index file: in place of texts, the mean of the encoder's rows of each item's SID tokens", {
      otherwise: 'texts',
    }),
    ...ITEM_TEXT_OPTIONS,
    embeddings: path('.npy file to write', {
      otherwise: 'NAME.emb-ENCODER.npy in the data folder',
      affectsResult: false,
    }),
  },
  {
    variants: {
      by: 'encoder',
      pick: (encoder) => (encoder === 'lsa' ? 'lsa' : 'FOLDER'),
      of: { lsa: LSA_OPTIONS, FOLDER: SENTENCE_OPTIONS },
    },
  },
);

/** Options of `lsa`. */
export interface LsaOptions extends Given<typeof LSA_OPTIONS> {}
/** Options of `tfidf`. */
export interface TfidfOptions extends Given<typeof TFIDF_OPTIONS> {}
/** Options of `lengthBatches`. */
export interface LengthBatchesOptions extends Given<typeof BATCH_OPTIONS> {}
/** Options of `loadSentenceEncoder`. */
export interface SentenceEncoderOptions extends Given<Omit<typeof SENTENCE_OPTIONS, keyof typeof BATCH_OPTIONS>> {}

/** Of the two groups of options the encoder reads its own; one of the other is refused. */
export interface EmbedItemsOptions
  extends OptionsOf<typeof EMBED_OPTIONS>, LsaOptions, SentenceEncoderOptions, LengthBatchesOptions {}
