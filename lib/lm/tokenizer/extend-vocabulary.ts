/**
 * New tokens for a pretrained model: the SID tokens of an index join the tokenizer, and the embedding table (and the
 * output layer, where it is one of its own) grows by as many rows.
 *
 * Follows MiniOneRec's token extension and transformers' `resize_token_embeddings` with mean resizing. Departures:
 *   1. only the tokens that occur in the index are added, unless all codes are asked for;
 *   2. new rows are the mean of the old ones, or what the titles of a code's items say, plus noise of the old rows' own
 *      variance, dimension by dimension, drawn by the seed (there: 1e-9 of the whole covariance). The mean alone makes
 *      hundreds of codes one word, which training must take apart first (docs/log.md, "A pretrained language model");
 *   3. rows that the model has beyond its tokenizer (Qwen pads its table) are used before the table grows;
 *   4. a tokenizer that has tokens beyond the table (somebody added them without resizing it) gets rows for these too.
 */
import * as tf from '@tensorflow/tfjs';
import type { Item } from '../../data/dataset.js';
import type { SidIndex } from '../../data/sid-index.js';
import { InputError } from '../../support/errors.js';
import { Random } from '../../support/random.js';
import type { LanguageModel } from '../language-model.js';
import { EMBEDDING, OUTPUT } from '../weight-names.js';
import { keywordWeights, titleWeights, type TitleWeights } from './title-weights.js';
import { type SidVocabulary } from '../choices.js';
import { addedTokens, parseTokenizer, sidVocabulary, type TextTokenizer } from './tokenizer.js';
import { EMBEDDING_INITS, type EmbeddingInit } from '../choices.js';

/** `noise` unless another is asked for: new rows are spread as the old ones are. */
export const INIT_NOISE = 1;

/** Of rows that no SID has, whose tokens may mean what they like: transformers' own. */
const MEAN_RESIZING = Math.sqrt(1e-9);

/** Options of `extendVocabulary`. */
export interface ExtendOptions {
  /** Which SID tokens join. Default `used`. */
  sids?: SidVocabulary;
  /** What their rows start from. Default `mean`. */
  init?: EmbeddingInit;
  /** Deviation of a SID token's row about its start, in deviations of the old rows. Default 1. */
  noise?: number;
  /** Whose titles `title` reads; index = item id. */
  items?: readonly Item[];
}

/** A model and its tokenizer with the tokens of an index. */
export interface Extended {
  /** With the new rows. */
  model: LanguageModel;
  /** With the new tokens. */
  tokenizer: TextTokenizer;
  /** Tokens that were added, in the order of their ids. */
  added: string[];
  /** Tokens of the index that the vocabulary had: their rows stay as they are. */
  reused: string[];
  /** Rows that the table had too few of for the tokenizer itself, before any token was added. Mostly 0. */
  missingRows: number;
}

/**
 * Adds what the tokenizer lacks of the index; the model's variables are replaced in place. Every token of the extended
 * tokenizer then has a row of its own.
 * @throws InputError for an unknown `init`, or `title` without items or titles
 */
export function extendVocabulary(
  model: LanguageModel,
  tokenizer: TextTokenizer,
  index: SidIndex,
  seed = 42,
  options: ExtendOptions = {},
): Extended {
  const { sids = 'used', init = 'mean', noise = INIT_NOISE, items } = options;
  if (!EMBEDDING_INITS.includes(init)) {
    throw new InputError(`--init: expected ${EMBEDDING_INITS.join(' or ')}, got ${String(init)}`);
  }
  const tokens = sidVocabulary(index, sids);
  const added = tokens.filter((token) => !tokenizer.has(token));
  const reused = tokens.filter((token) => tokenizer.has(token));
  const { vocabSize: rows, tied } = model.config;
  const missingRows = Math.max(0, tokenizer.vocabSize - rows);
  if (added.length === 0 && missingRows === 0) return { model, tokenizer, added, reused, missingRows };
  const weigh = { mean: undefined, title: titleWeights, keywords: keywordWeights }[init];
  const titles = added.length > 0 ? weigh?.(added, index, items ?? [], tokenizer) : undefined;
  const extended = addTokens(tokenizer, added);
  const vocabSize = Math.max(rows, extended.vocabSize);
  for (const name of tied ? [EMBEDDING] : [EMBEDDING, OUTPUT]) {
    const old = model.weights.get(name)!;
    const random = new Random(`${seed}/${name}`);
    const fresh = { count: added.length, noise, titles };
    const grown = grow(old as unknown as tf.Tensor2D, tokenizer.vocabSize, fresh, random);
    model.weights.set(name, tf.variable(grown));
    tf.dispose([old, grown]);
  }
  return {
    model: { ...model, config: { ...model.config, vocabSize } },
    tokenizer: extended,
    added,
    reused,
    missingRows,
  };
}

/** `tokenizer.json` with more added tokens, ids following the largest one. */
function addTokens(tokenizer: TextTokenizer, tokens: readonly string[]): TextTokenizer {
  const raw = JSON.parse(tokenizer.json) as { added_tokens?: unknown[] };
  const added = [...(raw.added_tokens ?? []), ...addedTokens(tokens, tokenizer.vocabSize)];
  return parseTokenizer(JSON.stringify({ ...raw, added_tokens: added }), 'tokenizer.json');
}

/** The rows of SID tokens. */
interface FreshRows {
  count: number;
  noise: number;
  titles?: TitleWeights | undefined;
}

/**
 * The table with new rows: tokens of the tokenizer that have none yet (its rows end before `first`), drawn about the
 * mean of the old ones, and rows [first, first + count), drawn about the mean or about their titles. Padding behind
 * them stays.
 * @param table [V, D] @returns [max(V, first + count), D]
 */
function grow(table: tf.Tensor2D, first: number, { count, noise, titles }: FreshRows, random: Random): tf.Tensor2D {
  return tf.tidy(() => {
    const [rows, width] = table.shape;
    const old = tf.slice(table, 0, Math.min(first, rows));
    const missing = first - old.shape[0];
    const { mean, variance } = tf.moments(old, 0);
    const deviation = tf.sqrt(variance);
    const drawn = (size: number, centre: tf.Tensor, spread: number): tf.Tensor2D => {
      const numbers = Float32Array.from({ length: size * width }, () => random.normal() * spread);
      return tf.add<tf.Tensor2D>(tf.mul(tf.tensor2d(numbers, [size, width]), deviation), centre);
    };
    const known = missing > 0 ? tf.concat([old, drawn(missing, mean, MEAN_RESIZING)], 0) : old; // of each id below `first`
    const centre = titles ? titleRows(known, mean as tf.Tensor1D, titles) : mean;
    const fresh = count > 0 ? [drawn(count, centre, noise)] : [];
    const padding = rows - first - count;
    const rest = padding > 0 ? [tf.slice(table, first + count, padding)] : [];
    return tf.concat([known, ...fresh, ...rest], 0);
  });
}

/** What the titles say, and the mean for tokens without any. @returns [count, D] */
function titleRows(table: tf.Tensor2D, mean: tf.Tensor1D, { tokens, weights }: TitleWeights): tf.Tensor2D {
  const ids = tf.tensor1d(tokens, 'int32');
  const shares = tf.tensor2d(weights, [weights.length / tokens.length, tokens.length]);
  const left = tf.sub(1, tf.sum(shares, 1, true)); // 0 where there is a title, else 1
  return tf.add(tf.matMul(shares, tf.gather(table, ids)), tf.mul(left, mean));
}
