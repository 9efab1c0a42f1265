/**
 * New tokens for a pretrained model: the SID tokens of an index join the tokenizer, and the embedding table (and the
 * output layer, where it is one of its own) grows by as many rows.
 *
 * Follows MiniOneRec's token extension and transformers' `resize_token_embeddings` with mean resizing. Departures:
 *   1. only the tokens that occur in the index are added, unless all codes are asked for;
 *   2. new rows are the mean of the old ones plus noise of 1e-9 of their variance, dimension by dimension (there: the
 *      whole covariance), drawn by the seed; or, in place of the mean, what the titles of a code's items say;
 *   3. rows that the model has beyond its tokenizer (Qwen pads its table) are used before the table grows.
 */
import * as tf from '@tensorflow/tfjs';
import type { Item } from '../../data/dataset.js';
import type { SidIndex } from '../../data/sid-index.js';
import { InputError } from '../../support/errors.js';
import { Random } from '../../support/random.js';
import type { LanguageModel } from '../language-model.js';
import { EMBEDDING, OUTPUT } from '../weight-names.js';
import { titleWeights, type TitleWeights } from './title-weights.js';
import { type SidVocabulary } from '../choices.js';
import { addedTokens, parseTokenizer, sidVocabulary, type TextTokenizer } from './tokenizer.js';
import { EMBEDDING_INITS, type EmbeddingInit } from '../choices.js';

const NOISE = Math.sqrt(1e-9);

export interface ExtendOptions {
  /** Default `used`. */
  sids?: SidVocabulary;
  /** Default `mean`. */
  init?: EmbeddingInit;
  /** Whose titles `title` reads; index = item id. */
  items?: readonly Item[];
}

export interface Extended {
  model: LanguageModel;
  tokenizer: TextTokenizer;
  /** Tokens that were added, in the order of their ids. */
  added: string[];
  /** Tokens that the vocabulary had: their rows stay as they are. */
  reused: string[];
}

/** Adds what the tokenizer lacks of the index; the model's variables are replaced in place. */
export function extendVocabulary(
  model: LanguageModel,
  tokenizer: TextTokenizer,
  index: SidIndex,
  seed = 42,
  options: ExtendOptions = {},
): Extended {
  const { sids = 'used', init = 'mean', items } = options;
  if (!EMBEDDING_INITS.includes(init)) {
    throw new InputError(`--init: expected ${EMBEDDING_INITS.join(' or ')}, got ${String(init)}`);
  }
  const tokens = sidVocabulary(index, sids);
  const added = tokens.filter((token) => !tokenizer.has(token));
  const reused = tokens.filter((token) => tokenizer.has(token));
  if (added.length === 0) return { model, tokenizer, added, reused };
  const first = tokenizer.vocabSize;
  const titles = init === 'title' ? titleWeights(added, index, items ?? [], tokenizer) : undefined;
  const extended = addTokens(tokenizer, added);
  const vocabSize = Math.max(model.config.vocabSize, extended.vocabSize);
  for (const name of model.config.tied ? [EMBEDDING] : [EMBEDDING, OUTPUT]) {
    const old = model.weights.get(name)!;
    const random = new Random(`${seed}/${name}`);
    const grown = grow(old as unknown as tf.Tensor2D, first, added.length, vocabSize, random, titles);
    model.weights.set(name, tf.variable(grown));
    tf.dispose([old, grown]);
  }
  return { model: { ...model, config: { ...model.config, vocabSize } }, tokenizer: extended, added, reused };
}

/** `tokenizer.json` with more added tokens, ids following the largest one. */
function addTokens(tokenizer: TextTokenizer, tokens: readonly string[]): TextTokenizer {
  const raw = JSON.parse(tokenizer.json) as { added_tokens?: unknown[] };
  const added = [...(raw.added_tokens ?? []), ...addedTokens(tokens, tokenizer.vocabSize)];
  return parseTokenizer(JSON.stringify({ ...raw, added_tokens: added }), 'tokenizer.json');
}

/** Rows [first, first + count) drawn about the mean of those before them, or about their titles. @returns [vocabSize, D] */
function grow(
  table: tf.Tensor2D,
  first: number,
  count: number,
  vocabSize: number,
  random: Random,
  titles?: TitleWeights,
): tf.Tensor2D {
  return tf.tidy(() => {
    const width = table.shape[1];
    const old = tf.slice(table, 0, Math.min(first, table.shape[0]));
    const { mean, variance } = tf.moments(old, 0);
    const noise = tf.tensor2d(
      Float32Array.from({ length: count * width }, () => random.normal() * NOISE),
      [count, width],
    );
    const centre = titles ? titleRows(table, mean as tf.Tensor1D, titles) : mean;
    const fresh = tf.add<tf.Tensor2D>(tf.mul(noise, tf.sqrt(variance)), centre);
    const rest = Math.max(0, table.shape[0] - first - count); // padding that stays
    const parts = [old, fresh, ...(rest > 0 ? [tf.slice(table, first + count, rest)] : [])];
    const grown = tf.concat(parts as tf.Tensor2D[], 0);
    return grown.shape[0] === vocabSize
      ? grown
      : tf.pad(grown, [
          [0, vocabSize - grown.shape[0]],
          [0, 0],
        ]);
  });
}

/** What the titles say, and the mean for tokens without any. @returns [count, D] */
function titleRows(table: tf.Tensor2D, mean: tf.Tensor1D, { tokens, weights }: TitleWeights): tf.Tensor2D {
  const ids = tf.tensor1d(tokens, 'int32');
  const shares = tf.tensor2d(weights, [weights.length / tokens.length, tokens.length]);
  const left = tf.sub(1, tf.sum(shares, 1, true)); // 0 where there is a title, else 1
  return tf.add(tf.matMul(shares, tf.gather(table, ids)), tf.mul(left, mean));
}
