/**
 * What a sequence recommender is to the trainer: weights, and a vector of each history. An item's score is the product
 * of that vector with the item's own (its row of the item table), so that one trainer, one loss and one ranking serve
 * them all.
 *
 * Shapes: B histories, D width, V items.
 */
import type * as tf from '@tensorflow/tfjs';
import type { Weights } from '../../lm/weights.js';
import type { Random } from '../../support/random.js';

/** The name of the item table in every model [V, D]. */
export const ITEM_TABLE = 'item_emb.weight';

/** Dropout of a training step. */
export interface StepDropout {
  /** Of everything random in the step; its state is part of a checkpoint. */
  random: Random;
  /** In (0, 1). */
  rate: number;
}

/** Histories on the engine, in whatever layout a model wants; made before the gradient is taken. */
export interface PreparedHistories {
  /** Items in all of them. */
  tokens: number;
  /** Frees its tensors. */
  dispose(): void;
}

/** A model of a certain size, without its weights. */
export interface SequenceModel<P extends PreparedHistories = PreparedHistories> {
  /** Every weight's shape, in the order of the file. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** A weight's first numbers. */
  initial(name: string, random: Random): Float32Array;
  /** The latest items that it looks at, at most. */
  readonly longest: number;
  /** @param histories item ids, oldest first, each of 1 to `longest` items */
  prepare(histories: readonly (readonly number[])[]): P;
  /** On a tape where a gradient is asked for. @param dropout of training @returns [B, D], in the order of the histories */
  encode(weights: Weights, prepared: P, dropout?: StepDropout): tf.Tensor2D;
  /** The state at every item of each history, one after the other [N, D]; of models that can be trained on chains. */
  encodeAll?(weights: Weights, prepared: P, dropout?: StepDropout): tf.Tensor2D;
}

/** Size of the data that a model is built for. */
export interface ModelSize {
  /** V */
  items: number;
  /** Items of the longest history in training. */
  longest: number;
}
