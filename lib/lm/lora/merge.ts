/**
 * Adapters added into their matrices, and taken out again.
 *
 * A merged matrix is rounded to float32 once, an unmerged one twice: it differs from what it was by at most one unit in
 * the last place of the larger of the two. A run is resumed from its adapters, never from an unmerged model.
 */
import * as tf from '@tensorflow/tfjs';
import type { LanguageModel } from '../language-model.js';
import { AdaptedWeights, factorName } from './adapted-weights.js';
import { joinNewRows } from './freeze.js';
import { loraMatrices, loraScale } from './lora.js';

/** `W += scale * B @ A`, in place; the adapters are kept beside, unused. */
export function mergeLora(model: LanguageModel): LanguageModel {
  return turn(model, 1);
}

/** `W -= scale * B @ A`, in place; the adapters are used again. */
export function unmergeLora(model: LanguageModel): LanguageModel {
  return turn(model, -1);
}

/** Merges what is not merged, puts new rows into their tables and drops the adapters: a plain model. */
export function foldLora(model: LanguageModel): LanguageModel {
  const { config, weights, folders } = joinNewRows(mergeLora(model));
  const plain = new Map(weights);
  for (const [name, variable] of weights) {
    variable.trainable = true;
    if (!/\.lora_[AB]\.weight$/.test(name)) continue;
    variable.dispose();
    plain.delete(name);
  }
  return { config, weights: plain, ...(folders && { folders }) };
}

function turn(model: LanguageModel, sign: 1 | -1): LanguageModel {
  const { config, lora, weights } = model;
  if (!lora || !(weights instanceof AdaptedWeights) || (sign === 1) === !weights.adapters) return model;
  const scale = loraScale(lora);
  for (const name of loraMatrices(config.layers, lora)) {
    const weight = weights.get(name)!;
    const [a, b] = (['A', 'B'] as const).map((factor) => weights.get(factorName(name, factor))!);
    tf.tidy(() => weight.assign(tf.add(weight, tf.mul(tf.matMul(b!, a!), sign * scale))));
  }
  const adapters = sign === 1 ? undefined : { scale };
  return { ...model, weights: new AdaptedWeights(weights, adapters, weights.newRows) };
}
