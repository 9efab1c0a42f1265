/**
 * GRU4Rec (Hidasi et al., ICLR 2016, arXiv 1511.06939): a recurrent network over the items of a history.
 *
 * Follows RecBole's: dropout of the item vectors, PyTorch's GRU, a dense layer back to the width of the item vectors,
 * which are those of the output too. Departures from the paper: whole histories in place of session-parallel batches; the
 * loss is chosen as for the other baselines (theirs: BPR and TOP1 against the other targets of the batch).
 *
 * Shapes: B histories, N tokens by time, D item width, H hidden width, V items.
 */
import * as tf from '@tensorflow/tfjs';
import type { Weights } from '../../lm/weights.js';
import { product, withBias } from '../../ops/basic.js';
import { dropoutFrom } from '../../ops/dropout.js';
import { chooseRows, embedding } from '../../ops/embedding.js';
import { gru } from '../../ops/sequence/gru.js';
import { onTape } from '../../ops/tape.js';
import { sizeOf, uniform, xavierNormal } from './initial-weights.js';
import {
  ITEM_TABLE,
  type ModelSize,
  type PreparedHistories,
  type SequenceModel,
  type StepDropout,
} from './sequence-model.js';

/** GRU4Rec's size. */
export interface Gru4recSettings {
  /** D, of item vectors. */
  width: number;
  /** H, of the recurrent layers. */
  hidden: number;
  /** Recurrent layers. */
  layers: number;
}

/** Histories by time: step 0 of all of them, the longest first, then step 1. */
interface TimeMajor extends PreparedHistories {
  /** Item of each token, int32 [N]. */
  items: tf.Tensor1D;
  /** Histories that reach each step. */
  counts: number[];
  /** The last token of each history, int32 [B]. */
  last: tf.Tensor1D;
  /** Index of each token in `last`, B where it is not the last, int32 [N]. */
  inverse: tf.Tensor1D;
}

/** GRU4Rec of a certain size. */
export function gru4rec(
  { items, longest }: ModelSize,
  { width, hidden, layers }: Gru4recSettings,
): SequenceModel<TimeMajor> {
  const shapes = new Map<string, number[]>([[ITEM_TABLE, [items, width]]]);
  for (let layer = 0; layer < layers; layer++) {
    shapes.set(`gru.weight_ih_l${layer}`, [3 * hidden, layer === 0 ? width : hidden]);
    shapes.set(`gru.weight_hh_l${layer}`, [3 * hidden, hidden]);
    shapes.set(`gru.bias_ih_l${layer}`, [3 * hidden]).set(`gru.bias_hh_l${layer}`, [3 * hidden]);
  }
  shapes.set('dense.weight', [width, hidden]).set('dense.bias', [width]);
  return {
    shapes,
    longest,
    initial: (name, random) => {
      const shape = shapes.get(name)!;
      return name === ITEM_TABLE ? xavierNormal(random, shape) : uniform(random, sizeOf(shape), 1 / Math.sqrt(hidden));
    },
    prepare: byTime,
    encode: (weights, prepared, dropout) => encode(weights, prepared, layers, dropout),
  };
}

function byTime(histories: readonly (readonly number[])[]): TimeMajor {
  const order = [...histories.keys()].sort((a, b) => histories[b]!.length - histories[a]!.length || a - b);
  const items: number[] = [];
  const counts: number[] = [];
  const last = new Int32Array(histories.length);
  for (let t = 0; t < (histories[order[0]!]?.length ?? 0); t++) {
    const reach = order.filter((b) => histories[b]!.length > t);
    reach.forEach((b, i) => {
      if (histories[b]!.length === t + 1) last[b] = items.length + i;
    });
    items.push(...reach.map((b) => histories[b]![t]!));
    counts.push(reach.length);
  }
  const inverse = new Int32Array(items.length).fill(histories.length);
  last.forEach((token, b) => (inverse[token] = b));
  const int = (values: Int32Array): tf.Tensor1D => tf.tensor1d(values, 'int32');
  const tensors = { items: int(Int32Array.from(items)), last: int(last), inverse: int(inverse) };
  return { ...tensors, counts, tokens: items.length, dispose: () => tf.dispose(Object.values(tensors)) };
}

/** @returns [B, D] */
function encode(
  weights: Weights,
  { items, counts, last, inverse }: TimeMajor,
  layers: number,
  dropout?: StepDropout,
): tf.Tensor2D {
  const drop = (dropout && dropoutFrom(dropout.random, dropout.rate)) ?? ((x: tf.Tensor2D) => x);
  const vector = (name: string): tf.Tensor1D => weights.get(name)! as tf.Tensor as tf.Tensor1D;
  const matrix = (name: string): tf.Tensor2D => weights.get(name)! as tf.Tensor as tf.Tensor2D;
  return onTape([...weights.values()], () => {
    let x = drop(embedding(matrix(ITEM_TABLE), items));
    for (let layer = 0; layer < layers; layer++) {
      const input = withBias(product(x, matrix(`gru.weight_ih_l${layer}`)), vector(`gru.bias_ih_l${layer}`));
      x = gru(input, matrix(`gru.weight_hh_l${layer}`), vector(`gru.bias_hh_l${layer}`), counts);
    }
    const states = chooseRows(x, last, inverse);
    return withBias(product(states, matrix('dense.weight')), vector('dense.bias'));
  });
}
