/** The words that options of a model may be. Apart from what reads them, so that a command can list them without an engine. */

import { PRECISIONS } from '../ops/precision.js';

/**
 * What is frozen: nothing; everything but the rows of the new tokens; the embedding table and the output layer;
 * everything but these two.
 */
export const FREEZE = ['none', 'all-but-new-rows', 'embeddings', 'all-but-embeddings'] as const;

/** A word of `FREEZE`. */
export type Freeze = (typeof FREEZE)[number];

/** Which SID tokens a vocabulary gets: those that occur in the index, or every code of every level. */
export const SID_VOCABULARIES = ['used', 'all'] as const;

/** A word of `SID_VOCABULARIES`. */
export type SidVocabulary = (typeof SID_VOCABULARIES)[number];

/**
 * What a new row starts from: the mean of the old rows, the rows of the words in the titles of a code's items, or of the
 * words that tell its items from others.
 */
export const EMBEDDING_INITS = ['mean', 'title', 'keywords'] as const;

/** A word of `EMBEDDING_INITS`. */
export type EmbeddingInit = (typeof EMBEDDING_INITS)[number];

/** How SIDs are written: in tokens of their own, or spelled in the subwords that the vocabulary has. */
export const SID_TOKENS = ['new', 'subwords'] as const;

/** A word of `SID_TOKENS`. */
export type SidTokens = (typeof SID_TOKENS)[number];

/** The precision of a model's large products; `auto` asks the machine. */
export const PRECISION_CHOICES = ['auto', ...PRECISIONS] as const;

/** A word of `PRECISION_CHOICES`. */
export type PrecisionChoice = (typeof PRECISION_CHOICES)[number];

/** The values of `model_type` that are computed here. */
export const ARCHITECTURES = ['qwen2', 'qwen3', 'llama'] as const;
/** One of them. */
export type Architecture = (typeof ARCHITECTURES)[number];
