/**
 * The next token of every text: the likeliest, or a draw from the nucleus.
 *
 * Shapes: U texts, V vocabulary, D width.
 */
import * as tf from '@tensorflow/tfjs';
import { outputTable } from '../lm/lora/adapted-weights.js';
import type { LanguageModel } from '../lm/language-model.js';
import { tableLogits } from '../ops/split-table.js';
import type { Random } from '../support/random.js';
import { drawPlace, nucleus } from './generate-nucleus.js';
import type { GenerateSettings } from './generate-options.js';

/** @param hidden [U, D] @returns the next token of every text [U] */
export function nextTokens(
  { config, weights }: LanguageModel,
  hidden: tf.Tensor2D,
  texts: readonly { random: Random }[],
  { temperature, topP, topK }: GenerateSettings,
): number[] {
  const logits = (): tf.Tensor2D => tableLogits(hidden, outputTable(config, weights));
  if (temperature === 0) return [...read(() => tf.argMax(logits(), 1))];
  const best = topK > 0 && topK < config.vocabSize ? tf.tidy(() => tf.topk(logits(), topK)) : undefined;
  const shares = read(() => tf.softmax(tf.div(best?.values ?? logits(), temperature), 1)); // [U * V] or [U * topK]
  const tokens = best?.indices.dataSync<'int32'>();
  if (best) tf.dispose([best.values, best.indices]);
  const width = shares.length / texts.length;
  return texts.map(({ random }, row) => {
    const place = drawFrom(shares.subarray(row * width, (row + 1) * width), topP, random.next());
    return tokens?.[row * width + place] ?? place;
  });
}

function drawFrom(probabilities: Float32Array, topP: number, draw: number): number {
  if (topP === 1) return drawPlace(probabilities, sum(probabilities), draw);
  const { tokens, shares } = nucleus(probabilities, topP);
  return tokens[drawPlace(shares, 1, draw)]!;
}

const sum = (values: Float32Array): number => values.reduce((total, value) => total + value, 0);

/** A tensor's numbers, read outside of tidy, which would walk every number of an array. */
function read(compute: () => tf.Tensor): Float32Array {
  const tensor = tf.tidy(compute);
  const values = tensor.dataSync<'float32'>();
  tensor.dispose();
  return values;
}
