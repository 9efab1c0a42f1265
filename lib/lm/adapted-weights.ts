/**
 * Weights of which only a part learns: adapters beside the matrices (LoRA), and rows of the tables in tensors of their
 * own. All of it is variables in one map, under names of our own; everything else is Hugging Face's.
 */
import type * as tf from '@tensorflow/tfjs';
import { gatherRows } from '../ops/index.js';
import type { Table } from '../ops/index.js';
import type { ModelConfig } from './config.js';
import { EMBEDDING, OUTPUT } from './weights.js';
import type { Weights } from './weights.js';

/** Adapters of rank r beside some of the matrices: `x @ W^T + scale * dropout(x) @ A^T @ B^T`. */
export interface Adapters {
  /** alpha / r, or alpha / sqrt(r) in rsLoRA. */
  scale: number;
  /** What the adapter of the matrix `name` sees of x; left out outside training. */
  mask?: (name: string, shape: [number, number]) => tf.Tensor2D;
}

/** Which rows of the tables stand in tensors of their own. */
export interface NewRows {
  first: number;
  count: number;
}

export class AdaptedWeights extends Map<string, tf.Variable> {
  constructor(
    entries: Iterable<readonly [string, tf.Variable]>,
    readonly adapters?: Adapters,
    readonly newRows?: NewRows,
  ) {
    super(entries);
  }

  /** The same variables, seen through other adapters' settings. */
  with(adapters: Adapters): AdaptedWeights {
    return new AdaptedWeights(this, adapters, this.newRows);
  }
}

/** Name of the rows that learn of a table, [n, D]. */
export function newRowsName(table: string): string {
  return table.replace(/weight$/, 'new_rows');
}

/** The embedding table or the output layer, whole or split. */
export function tableOf(weights: Weights, name: typeof EMBEDDING | typeof OUTPUT): Table {
  const table = weights.get(name)! as tf.Tensor as tf.Tensor2D;
  if (!(weights instanceof AdaptedWeights) || !weights.newRows) return table;
  return {
    still: table,
    rows: weights.get(newRowsName(name))! as tf.Tensor as tf.Tensor2D,
    first: weights.newRows.first,
  };
}

/** The output layer [V, D], whole or split: the embedding table where the two are tied. */
export function outputTable(config: ModelConfig, weights: Weights): Table {
  return tableOf(weights, config.tied ? EMBEDDING : OUTPUT);
}

/** @param ids int32 [N], outliving the gradient @returns [N, D] */
export function embedTokens(weights: Weights, ids: tf.Tensor1D): tf.Tensor2D {
  return gatherRows(tableOf(weights, EMBEDDING), ids);
}
