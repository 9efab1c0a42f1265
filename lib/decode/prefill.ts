/**
 * The prompts' own pass through the model, once, as a forest of chains: what their continuations then see.
 *
 * Shapes: U prompts, P longest prompt, Hk key heads, d head width, D width.
 */
import * as tf from '@tensorflow/tfjs';
import { planAttention } from '../lm/attention-plan.js';
import { forwardTokens } from '../lm/decoder.js';
import { chain, packTrees } from '../lm/forest.js';
import type { LanguageModel } from '../lm/language-model.js';
import { rotaryFrequencies } from '../lm/rotary-frequencies.js';
import { forestAttention } from '../ops/forest-attention.js';
import { rotaryTable } from '../ops/rotary.js';

/** Added to a score that attention must not see. */
export const HIDDEN = -1e9;

/** Keys and values of one layer. */
export interface KeyValues {
  /** [U, Hk, places, d], rotated */
  keys: tf.Tensor4D;
  /** [U, Hk, places, d] */
  values: tf.Tensor4D;
}

/** Prompts as the prefixes of what is decoded after them. */
export interface Prefixes {
  /** Hidden state of every prompt's last token [U, D]. */
  last: tf.Tensor2D;
  /** One a layer, of P places; those behind a shorter prompt's end repeat its last token. */
  layers: KeyValues[];
  /** Added to scores on the prefix [U, 1, 1, P]: 0 on a prompt's own tokens. */
  mask: tf.Tensor4D;
  /** Tokens of each prompt. */
  lengths: number[];
  /** P */
  longest: number;
}

/** The caller owns every tensor of the result. @throws if there is no prompt, or one without a token */
export function prefill(model: LanguageModel, prompts: readonly (readonly number[])[]): Prefixes {
  if (prompts.length === 0 || prompts.some((prompt) => prompt.length === 0)) {
    throw new Error('prefill: expected prompts of at least a token');
  }
  const { config, weights } = model;
  const lengths = prompts.map((prompt) => prompt.length);
  const longest = Math.max(...lengths);
  const layers: KeyValues[] = [];
  const last = tf.tidy(() => {
    const forest = packTrees(prompts.map((prompt) => chain(prompt)));
    const plan = planAttention(forest);
    const padded = tf.tensor1d(
      lengths.flatMap((length, u) =>
        Array.from({ length: longest }, (_, i) => forest.starts[u]! + Math.min(i, length - 1)),
      ),
      'int32',
    );
    const toPrefix = (x: tf.Tensor3D): tf.Tensor4D => {
      const rows = tf.gather(x, padded); // [U * P, Hk, d]
      const split = tf.reshape(rows, [prompts.length, longest, config.keyHeads, config.headDim]);
      return tf.keep(tf.transpose(split, [0, 2, 1, 3]) as tf.Tensor4D);
    };
    const table = rotaryTable(forest.depth, rotaryFrequencies(config));
    const hidden = forwardTokens(config, weights, tf.tensor1d(forest.token, 'int32'), table, (_, q, k, v) => {
      layers.push({ keys: toPrefix(k), values: toPrefix(v) });
      return forestAttention(q, k, v, plan);
    });
    const ends = lengths.map((length, u) => forest.starts[u]! + length - 1);
    return tf.gather(hidden, tf.tensor1d(ends, 'int32'));
  });
  const padding = lengths.flatMap((length) => Array.from({ length: longest }, (_, i) => (i < length ? 0 : HIDDEN)));
  return { last, layers, mask: tf.tensor4d(padding, [prompts.length, 1, 1, longest]), lengths, longest };
}
