/**
 * The decoder's forward pass over a forest, with every product on the flat [N, D].
 *
 * Follows transformers' `modeling_qwen2`, `modeling_qwen3` and `modeling_llama`. Departure: nothing is padded but attention's blocks, and no logits are
 * computed here (see `targetLogProbs`).
 *
 * Shapes: N tokens, D width, H heads, Hk key heads, d head width, F feed-forward, V vocabulary.
 */
import * as tf from '@tensorflow/tfjs';
import { reshaped, sum, withBias } from '../ops/basic.js';
import type { Dropout } from '../ops/dropout.js';
import { operand } from '../ops/linear.js';
import { type AttentionPlan, forestAttention } from '../ops/forest-attention.js';
import { rmsNorm } from '../ops/rms-norm.js';
import { rotary, rotaryTable, type RotaryTable } from '../ops/rotary.js';
import { wholeTable } from '../ops/split-table.js';
import { swiglu, swigluBfloat16 } from '../ops/swiglu.js';
import { activeTape, onTape, recomputed } from '../ops/tape.js';
import { disposePlan, planAttention } from './attention-plan.js';
import type { ModelConfig } from './config.js';
import type { Forest } from './forest.js';
import { layerProduct, layerProductBfloat16 } from './linear.js';
import { embedTokens, outputTable } from './lora/adapted-weights.js';
import { rotaryFrequencies } from './rotary-frequencies.js';
import { FINAL_NORM, layerWeight } from './weight-names.js';
import { type Weights } from './weights.js';

/** Attention of one layer: from rotated q [N, H, d], k [N, Hk, d] and v [N, Hk, d] to [N, H * d]. */
export type Attend = (layer: number, q: tf.Tensor3D, k: tf.Tensor3D, v: tf.Tensor3D) => tf.Tensor2D;

/** What training adds to a forward pass. */
export interface ForwardOptions {
  /** Default none. */
  dropout?: Dropout | undefined;
  /**
   * Keep the input of every layer alone, and compute the layer once more for its gradient: less memory for about a
   * third more time, the same gradient. Default false.
   */
  layerCheckpointing?: boolean;
}

/** A forest on the engine: what its forward pass and its gradient both need. Made before the gradient is taken. */
export interface PreparedForest {
  /** As it was given. */
  forest: Forest;
  /** int32 [N] */
  ids: tf.Tensor1D;
  table: RotaryTable;
  plan: AttentionPlan;
}

/** The caller owns it: within `tf.tidy` it goes with the scope, else see `disposeForest`. */
export function prepareForest(config: ModelConfig, forest: Forest): PreparedForest {
  return {
    forest,
    ids: tf.tensor1d(forest.token, 'int32'),
    table: rotaryTable(forest.depth, rotaryFrequencies(config)),
    plan: planAttention(forest),
  };
}

/** Frees the tensors of a prepared forest. */
export function disposeForest({ ids, table, plan }: PreparedForest): void {
  tf.dispose([ids, table.cos, table.sin]);
  disposePlan(plan);
}

/** @returns hidden states after the last norm [N, D] */
export function forwardForest(
  config: ModelConfig,
  weights: Weights,
  { ids, table, plan }: PreparedForest,
  options: ForwardOptions = {},
): tf.Tensor2D {
  const attend: Attend = (_, q, k, v) => forestAttention(q, k, v, plan);
  const learning = [...weights.values()].filter(({ trainable }) => trainable);
  return onTape(learning, () => forwardTokens(config, weights, ids, table, attend, options));
}

/**
 * The layers around whatever attention is given (a forest's, or a cache's that grows while decoding).
 * @param ids int32 [N] @returns [N, D]
 */
export function forwardTokens(
  config: ModelConfig,
  weights: Weights,
  ids: tf.Tensor1D,
  table: RotaryTable,
  attend: Attend,
  { dropout, layerCheckpointing = false }: ForwardOptions = {},
): tf.Tensor2D {
  const embedded = embedTokens(weights, ids);
  let x = dropout ? dropout(embedded) : embedded;
  const tape = activeTape();
  for (let layer = 0; layer < config.layers; layer++) {
    const input = x;
    const run = (): tf.Tensor2D => decoderLayer(config, weights, layer, input, table, attend, dropout);
    if (tape) {
      const replay = layerCheckpointing ? dropout?.replay() : undefined;
      x = layerCheckpointing ? recomputed(input, run, replay && (() => replay(run))) : run();
      tape.sweep(x);
    } else {
      x = tf.tidy(run); // without a gradient nothing need be kept
      if (layer > 0) input.dispose();
    }
  }
  return rmsNorm(x, weights.get(FINAL_NORM)! as tf.Tensor1D, config.normEpsilon);
}

/**
 * The output layer in one tensor [V, D] (see `outputTable`); a copy where some of its rows are separate, to be trained.
 */
export function outputLayer(config: ModelConfig, weights: Weights): tf.Tensor2D {
  return wholeTable(outputTable(config, weights));
}

function decoderLayer(
  config: ModelConfig,
  weights: Weights,
  layer: number,
  input: tf.Tensor2D,
  table: RotaryTable,
  attend: Attend,
  dropout: (x: tf.Tensor2D) => tf.Tensor2D = (x) => x,
): tf.Tensor2D {
  const x = sum(input, dropout(attentionPart(config, weights, layer, input, table, attend)));
  return sum(x, dropout(feedForwardPart(config, weights, layer, x)));
}

function attentionPart(
  config: ModelConfig,
  weights: Weights,
  layer: number,
  x: tf.Tensor2D,
  table: RotaryTable,
  attend: Attend,
): tf.Tensor2D {
  const { heads, keyHeads, headDim, normEpsilon, precision } = config;
  const weight = (part: string): tf.Variable => weights.get(layerWeight(layer, part))!;
  const normed = operand(rmsNorm(x, weight('input_layernorm.weight') as tf.Tensor1D, normEpsilon), precision);
  const project = (name: 'q' | 'k' | 'v', count: number): tf.Tensor3D => {
    const flat = layerProduct(config, weights, layerWeight(layer, `self_attn.${name}_proj.weight`), normed);
    const biased =
      config.architecture === 'qwen2' ? withBias(flat, weight(`self_attn.${name}_proj.bias`) as tf.Tensor1D) : flat;
    return reshaped<tf.Rank.R3>(biased, [-1, count, headDim]);
  };
  const turned = (name: 'q' | 'k', count: number): tf.Tensor3D => {
    const heads = project(name, count);
    if (config.architecture !== 'qwen3') return rotary(heads, table);
    const rows = reshaped<tf.Rank.R2>(heads, [-1, headDim]); // every head by itself
    const normedHeads = rmsNorm(rows, weight(`self_attn.${name}_norm.weight`) as tf.Tensor1D, normEpsilon);
    return rotary(reshaped<tf.Rank.R3>(normedHeads, [-1, count, headDim]), table);
  };
  const [q, k, v] = [turned('q', heads), turned('k', keyHeads), project('v', keyHeads)];
  const mixed = operand(attend(layer, q, k, v), precision);
  return layerProduct(config, weights, layerWeight(layer, 'self_attn.o_proj.weight'), mixed);
}

function feedForwardPart(config: ModelConfig, weights: Weights, layer: number, x: tf.Tensor2D): tf.Tensor2D {
  const weight = (part: string): tf.Variable => weights.get(layerWeight(layer, part))!;
  const { normEpsilon, precision } = config;
  const normed = operand(rmsNorm(x, weight('post_attention_layernorm.weight') as tf.Tensor1D, normEpsilon), precision);
  const project = (part: string, x: tf.Tensor2D): tf.Tensor2D =>
    layerProduct(config, weights, layerWeight(layer, part), x);
  const both = (product: (part: string) => tf.Tensor2D): [tf.Tensor2D, tf.Tensor2D] => [
    product('mlp.gate_proj.weight'),
    product('mlp.up_proj.weight'),
  ];
  const gated =
    precision === 'bfloat16'
      ? swigluBfloat16(...both((part) => layerProductBfloat16(weights, layerWeight(layer, part), normed)))
      : swiglu(...both((part) => project(part, normed)));
  return project('mlp.down_proj.weight', gated);
}
