/**
 * Weights of which only a part is trained: adapters beside the matrices (LoRA), and rows of the tables in tensors of their
 * own. All of it is variables in one map, under names of our own; everything else is Hugging Face's.
 */
import type * as tf from '@tensorflow/tfjs';
import type { LowRank } from '../../ops/low-rank-linear.js';
import { gatherRows, type Table } from '../../ops/split-table.js';
import type { ModelConfig } from '../config.js';
import { EMBEDDING, OUTPUT } from '../weight-names.js';
import { type Weights } from '../weights.js';

/** How the adapters beside the matrices are used (`lowRankLinear`). */
export interface AdapterUse {
  /** alpha / r, or alpha / sqrt(r) in rsLoRA. */
  scale: number;
  /** Dropout of what the adapter of the matrix `name` sees; left out outside training. */
  mask?: (name: string, shape: [number, number]) => tf.Tensor2D;
}

/** Which rows of the tables are in tensors of their own. */
export interface NewRows {
  /** Token id of the first. */
  first: number;
  /** How many follow one another. */
  count: number;
}

/** Weights by name, adapters and new rows among them. */
export class AdaptedWeights extends Map<string, tf.Variable> {
  constructor(
    entries: Iterable<readonly [string, tf.Variable]>,
    /** Left out where there are no adapters, and where they are merged into their matrices. */
    readonly adapters?: AdapterUse,
    readonly newRows?: NewRows,
  ) {
    super(entries);
  }
}

/** Name of one of the two factors beside the matrix `name`. */
export function factorName(name: string, factor: 'A' | 'B'): string {
  return name.replace(/weight$/, `lora_${factor}.weight`);
}

/** The adapter beside the matrix `name`, if it has one. @param shape of what the matrix is multiplied with [N, in] */
export function adapterOf(weights: Weights, name: string, shape: [number, number]): LowRank | undefined {
  if (!(weights instanceof AdaptedWeights) || !weights.adapters) return undefined;
  const [a, b] = (['A', 'B'] as const).map((factor) => weights.get(factorName(name, factor)) as tf.Tensor | undefined);
  if (!a || !b) return undefined;
  const { scale, mask } = weights.adapters;
  return { a: a as tf.Tensor2D, b: b as tf.Tensor2D, scale, ...(mask && { mask: () => mask(name, shape) }) };
}

/** The embedding table, or the output layer. */
export type TableName = typeof EMBEDDING | typeof OUTPUT;

/** Name of a table's new rows, which are trained [n, D]. */
export function newRowsName(table: string): string {
  return table.replace(/weight$/, 'new_rows');
}

/** The embedding table or the output layer, whole or split. */
export function tableOf(weights: Weights, name: TableName): Table {
  const table = weights.get(name)! as tf.Tensor as tf.Tensor2D;
  if (!(weights instanceof AdaptedWeights) || !weights.newRows) return table;
  return {
    frozen: table,
    trained: weights.get(newRowsName(name))! as tf.Tensor as tf.Tensor2D,
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
