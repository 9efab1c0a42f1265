/**
 * Scores that are not finite rank nothing: comparisons with NaN are false, so that a search would return the first
 * items, whatever the model. They are an error that names the prompt and, where the weights are at fault, the weight.
 */
import * as tf from '@tensorflow/tfjs';
import { fromBfloat16 } from '../ops/bfloat16.js';
import { checkMappedFiles } from '../ops/read-tensor.js';
import type { LanguageModel } from '../lm/language-model.js';
import { InputError } from '../support/errors.js';

/** Thrown by every search and generation of this room. */
export class NonFiniteScores extends InputError {
  override name = 'NonFiniteScores';

  /**
   * @param where what was computed, and for which prompt or row
   * @param prompt its place among the prompts that were given
   * @param reason what is not finite, and the mend
   */
  constructor(
    where: string,
    readonly prompt: number,
    readonly reason: string,
  ) {
    super(`${where}: ${reason}`);
  }
}

/**
 * @param values scores, or one number a row that is not finite if one of the row's scores is not
 * @param promptOf prompt of a value, by its place
 * @throws NonFiniteScores for the first value that is NaN or infinite; InputError if the file of the weights was cut
 *   or written over while they were in use
 */
export function checkFinite(
  where: string,
  model: LanguageModel,
  values: ArrayLike<number>,
  promptOf: (row: number) => number,
): void {
  checkMappedFiles(model.weights.values());
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i]!)) continue;
    const prompt = promptOf(i);
    throw new NonFiniteScores(`${where}: prompt ${prompt + 1}`, prompt, reasonOf(model));
  }
}

function reasonOf(model: LanguageModel): string {
  const name = nonFiniteWeight(model);
  return name === undefined
    ? 'the scores are not finite although all weights are: the model overflows; take another checkpoint'
    : `the scores are not finite, because the weights are not (${name}); take another checkpoint`;
}

/** Name of the first weight with a NaN or an infinity; undefined if all weights are finite. */
export function nonFiniteWeight({ weights }: LanguageModel): string | undefined {
  for (const [name, weight] of weights) {
    const finite = tf.tidy(() => tf.all(tf.isFinite(fromBfloat16(weight))).dataSync()[0]);
    if (!finite) return name;
  }
  return undefined;
}

/**
 * The same work with its error naming a row of the caller's in place of a prompt.
 * @param rowOf what a prompt is called, such as `evaluate: row 3 of 28 (user A1)`
 */
export function namingRows<T>(rowOf: (prompt: number) => string, work: () => T): T {
  const renamed = (error: unknown): unknown =>
    error instanceof NonFiniteScores ? new NonFiniteScores(rowOf(error.prompt), error.prompt, error.reason) : error;
  try {
    const result = work();
    if (!(result instanceof Promise)) return result;
    return result.catch((error: unknown) => {
      throw renamed(error);
    }) as T;
  } catch (error) {
    throw renamed(error);
  }
}
