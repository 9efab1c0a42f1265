/**
 * HSTU (Zhai et al., ICML 2024, arXiv 2402.17152): layers in which one gated, pointwise attention stands for attention
 * and feed-forward: [u, v, q, k] = silu(norm(x) W), a = silu(q k^T + b) / L, x + (norm(a v) * u) O.
 *
 * Follows the authors' research code: norms without weights, item vectors times sqrt(D), learned positions, the bias of
 * relative positions shared by all heads, a layer's dropout before its last product. Departures: no bias of relative
 * time, since rows carry none; the state is normalised by a layer norm, not to length 1, and the loss is that of the other
 * baselines (theirs: sampled softmax of cosines with a temperature).
 *
 * Shapes: B histories, N tokens, T the longest of a batch, D width, L positions, V items.
 */
import * as tf from '@tensorflow/tfjs';
import type { Weights } from '../../lm/weights.js';
import { product, reshaped, sum, withBias } from '../../ops/basic.js';
import { dropoutFrom } from '../../ops/dropout.js';
import { chooseRows, embedding } from '../../ops/embedding.js';
import { columns, scaled, silu, times } from '../../ops/sequence/activations.js';
import { layerNorm } from '../../ops/sequence/layer-norm.js';
import { sequenceAttention } from '../../ops/sequence/sequence-attention.js';
import { onTape } from '../../ops/tape.js';
import { InputError } from '../../support/errors.js';
import { type FlatHistories, flatHistories } from './flat-histories.js';
import { normal, sizeOf, xavierUniform } from './initial-weights.js';
import { ITEM_TABLE, type ModelSize, type SequenceModel, type StepDropout } from './sequence-model.js';

/** HSTU's size. */
export interface HstuSettings {
  /** D, of item vectors, layers, and of u, v, q and k together for all heads. */
  width: number;
  /** Layers. */
  blocks: number;
  /** Attention heads; they divide the width. */
  heads: number;
}

const EPSILON = 1e-6;

/** @throws InputError where the heads do not divide the width */
export function hstu({ items, longest }: ModelSize, settings: HstuSettings): SequenceModel<FlatHistories> {
  const { width, blocks, heads } = settings;
  if (width % heads !== 0) throw new InputError(`hstu: expected --heads to divide --width ${width}, got ${heads}`);
  const shapes = new Map<string, number[]>([
    [ITEM_TABLE, [items, width]],
    ['pos_emb.weight', [longest, width]],
  ]);
  for (let block = 0; block < blocks; block++) {
    shapes.set(`layers.${block}.uvqk`, [4 * width, width]);
    shapes.set(`layers.${block}.relative`, [2 * longest - 1, 1]);
    shapes.set(`layers.${block}.o.weight`, [width, width]).set(`layers.${block}.o.bias`, [width]);
  }
  return {
    shapes,
    longest,
    initial: (name, random) => {
      const shape = shapes.get(name)!;
      if (name.endsWith('o.weight')) return xavierUniform(random, shape);
      if (name.endsWith('o.bias')) return new Float32Array(sizeOf(shape));
      return normal(random, sizeOf(shape), name === 'pos_emb.weight' ? Math.sqrt(1 / width) : 0.02);
    },
    prepare: (histories) => flatHistories(histories),
    encode: (weights, prepared, dropout) => encode(weights, prepared, { ...settings, longest }, dropout),
  };
}

/** @returns [B, D] */
function encode(
  weights: Weights,
  { items, positions, last, inverse, sequences }: FlatHistories,
  { width, blocks, heads, longest }: HstuSettings & { longest: number },
  dropout?: StepDropout,
): tf.Tensor2D {
  const drop = (dropout && dropoutFrom(dropout.random, dropout.rate)) ?? ((x: tf.Tensor2D) => x);
  const matrix = (name: string): tf.Tensor2D => weights.get(name)! as tf.Tensor as tf.Tensor2D;
  const { longest: length } = sequences;
  const distance = Int32Array.from({ length: length * length }, (_, at) => {
    return longest - 1 + (at % length) - Math.floor(at / length); // key minus query
  });
  const attention = { queries: sequences, keys: sequences, heads, scale: 1, causal: true };
  return onTape([...weights.values()], () => {
    const embedded = sum(
      scaled(embedding(matrix(ITEM_TABLE), items), Math.sqrt(width)),
      embedding(matrix('pos_emb.weight'), positions),
    );
    let x = drop(embedded);
    for (let block = 0; block < blocks; block++) {
      const projected = silu(product(layerNorm(x, EPSILON), matrix(`layers.${block}.uvqk`)));
      const [u, v, q, k] = [0, 1, 2, 3].map((part) => columns(projected, part * width, width));
      const flat = embedding(matrix(`layers.${block}.relative`), tf.tensor1d(distance, 'int32'));
      const bias = reshaped<tf.Rank.R4>(flat, [1, 1, length, length]);
      const attended = sequenceAttention(q!, k!, v!, { ...attention, weighting: 'silu', divisor: longest, bias });
      const gated = drop(times(layerNorm(attended, EPSILON), u!));
      const out = weights.get(`layers.${block}.o.bias`)! as tf.Tensor as tf.Tensor1D;
      x = sum(x, withBias(product(gated, matrix(`layers.${block}.o.weight`)), out));
    }
    return chooseRows(layerNorm(x, EPSILON), last, inverse);
  });
}
