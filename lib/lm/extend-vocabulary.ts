/**
 * New tokens for a pretrained model: the SID tokens of an index join the tokenizer, and the embedding table (and the
 * output layer, where it is one of its own) grows by as many rows.
 *
 * Follows MiniOneRec's token extension and transformers' `resize_token_embeddings` with mean resizing. Departures:
 *   1. only the tokens that occur in the index are added;
 *   2. new rows are the mean of the old ones plus noise of 1e-9 of their variance, dimension by dimension (there: the
 *      whole covariance), drawn by the seed;
 *   3. rows that the model has beyond its tokenizer (Qwen pads its table) are used before the table grows.
 */
import * as tf from '@tensorflow/tfjs';
import type { SidIndex } from '../sid/index-file.js';
import { Random } from '../support/index.js';
import type { LanguageModel } from './model.js';
import { byLevelAndCode, parseTokenizer } from './tokenizer.js';
import type { TextTokenizer } from './tokenizer.js';
import { EMBEDDING, OUTPUT } from './weights.js';

const NOISE = Math.sqrt(1e-9);

export interface Extended {
  model: LanguageModel;
  tokenizer: TextTokenizer;
  /** Tokens that were added, in the order of their ids. */
  added: string[];
}

/** Adds what the tokenizer lacks of the index; the model's variables are replaced in place. */
export function extendVocabulary(model: LanguageModel, tokenizer: TextTokenizer, index: SidIndex, seed = 42): Extended {
  const added = [...new Set(index.flat())].filter((token) => !tokenizer.has(token)).sort(byLevelAndCode);
  if (added.length === 0) return { model, tokenizer, added };
  const first = tokenizer.vocabSize;
  const extended = addTokens(tokenizer, added);
  const vocabSize = Math.max(model.config.vocabSize, extended.vocabSize);
  for (const name of model.config.tied ? [EMBEDDING] : [EMBEDDING, OUTPUT]) {
    const old = model.weights.get(name)!;
    const grown = grow(old as unknown as tf.Tensor2D, first, added.length, vocabSize, new Random(`${seed}/${name}`));
    model.weights.set(name, tf.variable(grown));
    tf.dispose([old, grown]);
  }
  return { model: { ...model, config: { ...model.config, vocabSize } }, tokenizer: extended, added };
}

/** `tokenizer.json` with more added tokens, ids following the largest one. */
function addTokens(tokenizer: TextTokenizer, tokens: readonly string[]): TextTokenizer {
  const raw = JSON.parse(tokenizer.json) as { added_tokens?: unknown[] };
  const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: false };
  const added = tokens.map((content, i) => ({ id: tokenizer.vocabSize + i, content, ...plain }));
  return parseTokenizer(
    JSON.stringify({ ...raw, added_tokens: [...(raw.added_tokens ?? []), ...added] }),
    'tokenizer.json',
  );
}

/** Rows [first, first + count) drawn about the mean of those before them. @returns [vocabSize, D] */
function grow(table: tf.Tensor2D, first: number, count: number, vocabSize: number, random: Random): tf.Tensor2D {
  return tf.tidy(() => {
    const width = table.shape[1];
    const old = tf.slice(table, 0, Math.min(first, table.shape[0]));
    const { mean, variance } = tf.moments(old, 0);
    const noise = tf.tensor2d(
      Float32Array.from({ length: count * width }, () => random.normal() * NOISE),
      [count, width],
    );
    const fresh = tf.add<tf.Tensor2D>(tf.mul(noise, tf.sqrt(variance)), mean);
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
