/**
 * Training a part of a pretrained model: which of its weights are frozen.
 *
 * Follows MiniOneRec's `freeze_LLM` (new rows alone) and GRec's options. Departures:
 *   1. the new rows are tensors of their own, so that the old ones get neither gradient nor optimizer state, and keep
 *      their very bits (there: a hook that zeroes a dense gradient, and weight decay that moves the old rows);
 *   2. where the output layer is the embedding table, its new rows are trained by both uses;
 *   3. GRec's visual part does not exist here.
 */
import * as tf from '@tensorflow/tfjs';
import { wholeTable } from '../../ops/split-table.js';
import { InputError } from '../../support/errors.js';
import type { LanguageModel } from '../language-model.js';
import { EMBEDDING, OUTPUT } from '../weight-names.js';
import { AdaptedWeights, type NewRows, newRowsName, type TableName, tableOf } from './adapted-weights.js';
import { setTrainable } from './set-trainable.js';
import { FREEZE, type Freeze } from '../choices.js';

/**
 * @param newRows rows of the new tokens, for `all-but-new-rows`; the tables are split there in place
 * @returns the same variables, `trainable` set
 * @throws InputError if there are no new rows
 */
export function freeze(model: LanguageModel, what: Freeze, newRows?: NewRows): LanguageModel {
  switch (what) {
    case 'none':
      return model;
    case 'all-but-new-rows':
      return setTrainable(splitNewRows(model, newRows), (name) => name.endsWith('.new_rows'));
    case 'embeddings':
      return setTrainable(model, (name) => !isTable(name));
    case 'all-but-embeddings':
      return setTrainable(model, isTable);
    default:
      what satisfies never;
      throw new InputError(`--freeze: expected one of ${FREEZE.join(', ')}, got ${String(what)}`);
  }
}

function isTable(name: string): boolean {
  return name === EMBEDDING || name === OUTPUT;
}

/** Puts the rows of the new tokens into tensors of their own, out of each table. */
function splitNewRows(model: LanguageModel, newRows?: NewRows): LanguageModel {
  if (!newRows || newRows.count === 0) {
    throw new InputError('--freeze all-but-new-rows: expected a --model folder to which the index adds tokens');
  }
  const { first, count } = newRows;
  const weights = new AdaptedWeights(model.weights, undefined, newRows);
  for (const name of tableNames(model)) {
    const whole = weights.get(name)! as tf.Tensor as tf.Tensor2D;
    const [frozen, rows] = tf.tidy(() => {
      const frozen = tf.concat([tf.slice(whole, 0, first), tf.slice(whole, first + count)], 0);
      return [tf.variable(frozen), tf.variable(tf.slice(whole, first, count))];
    }) as [tf.Variable, tf.Variable];
    weights.set(name, frozen);
    weights.set(newRowsName(name), rows);
    whole.dispose();
  }
  return { ...model, weights };
}

/** The tables that a model has: one where they are tied. */
export function tableNames({ config }: LanguageModel): TableName[] {
  return config.tied ? [EMBEDDING] : [EMBEDDING, OUTPUT];
}

/** Puts the new rows back into their tables, in place. @returns the model with whole tables, all of which may be trained */
export function joinNewRows(model: LanguageModel): LanguageModel {
  const { weights } = model;
  if (!(weights instanceof AdaptedWeights) || !weights.newRows) return model;
  const joined = new AdaptedWeights(weights, weights.adapters);
  for (const name of tableNames(model)) {
    const whole = tf.tidy(() => tf.variable(wholeTable(tableOf(weights, name))));
    for (const part of [name, newRowsName(name)]) weights.get(part)!.dispose();
    joined.set(name, whole);
    joined.delete(newRowsName(name));
  }
  const { config, lora, folders } = model;
  return { config, weights: joined, ...(lora && { lora }), ...(folders && { folders }) };
}
