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
import { checkFinite } from './finite-scores.js';
import { drawPlace, nucleus } from './generate-nucleus.js';
import type { GenerateSettings } from './generate-options.js';

/** A text as the choice of its next token sees it. */
export interface DrawingText {
  /** Of its prompt. */
  number: number;
  /** Where its draws come from. */
  random: Random;
}

/**
 * @param hidden [U, D] @returns the next token of every text [U]
 * @throws NonFiniteScores if a logit is NaN or infinite
 */
export function nextTokens(
  model: LanguageModel,
  hidden: tf.Tensor2D,
  texts: readonly DrawingText[],
  { temperature, topP, topK }: GenerateSettings,
): number[] {
  const { config, weights } = model;
  const among = topK < config.vocabSize ? topK : 0;
  const computed = tf.tidy(() => {
    const logits = tableLogits(hidden, outputTable(config, weights), config.precision);
    const sums = tf.sum(logits, 1); // not finite if any logit is not
    if (temperature === 0) return { sums, choice: tf.argMax(logits, 1) };
    const best = among > 0 ? tf.topk(logits, among) : undefined;
    const choice = tf.softmax(tf.div(best?.values ?? logits, temperature), 1);
    return { sums, choice, ...(best && { tokens: best.indices }) };
  });
  // read outside of tidy, which would walk every number of an array
  const sums = computed.sums.dataSync<'float32'>();
  const choice = computed.choice.dataSync<'float32'>(); // [U] tokens, or [U * V] or [U * topK] shares
  const tokens = computed.tokens?.dataSync<'int32'>();
  tf.dispose(computed);
  checkFinite('generate', model, sums, (row) => texts[row]!.number);
  if (temperature === 0) return [...choice];
  const width = choice.length / texts.length;
  return texts.map(({ random }, row) => {
    const place = drawFrom(choice.subarray(row * width, (row + 1) * width), topP, random.next());
    return tokens?.[row * width + place] ?? place;
  });
}

function drawFrom(probabilities: Float32Array, topP: number, draw: number): number {
  if (topP === 1) return drawPlace(probabilities, sum(probabilities), draw);
  const { tokens, shares } = nucleus(probabilities, topP);
  return tokens[drawPlace(shares, 1, draw)]!;
}

const sum = (values: Float32Array): number => values.reduce((total, value) => total + value, 0);
