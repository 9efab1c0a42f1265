/**
 * SASRec (Kang & McAuley, ICDM 2018, arXiv 1808.09781): a causal transformer over the items of a history.
 *
 * Follows pmixer's SASRec.pytorch with `norm_first`, weights by its names: x + attention(norm(x)), then
 * x + feedForward(norm(x)), which is the paper's; dropout of embeddings, attention weights, and twice in the feed-forward
 * layer; item vectors times sqrt(D); Xavier's normal start for matrices and tables, PyTorch's for the rest. Departures:
 *   1. no padding, and no item stands for nothing; a history's last item has the last position, as padding on the left
 *      gives it, so that a position says how long ago an item was;
 *   2. by default a row's loss is at its target alone (the rows of a user are its prefixes); `mode: 'chain'` has it at every
 *      item of a user's sequence, as the paper does.
 *
 * Shapes: B histories, N tokens, D width, L positions, V items.
 */
import type * as tf from '@tensorflow/tfjs';
import type { Weights } from '../../lm/weights.js';
import { product, sum, withBias } from '../../ops/basic.js';
import { dropoutFrom } from '../../ops/dropout.js';
import { chooseRows, embedding } from '../../ops/embedding.js';
import { relu, scaled } from '../../ops/sequence/activations.js';
import { layerNorm } from '../../ops/sequence/layer-norm.js';
import { sequenceAttention } from '../../ops/sequence/sequence-attention.js';
import { onTape } from '../../ops/tape.js';
import { InputError } from '../../support/errors.js';
import { type FlatHistories, flatHistories } from './flat-histories.js';
import { sizeOf, uniform, xavierNormal } from './initial-weights.js';
import { ITEM_TABLE, type ModelSize, type SequenceModel, type StepDropout } from './sequence-model.js';

const EPSILON = 1e-8;

/** SASRec's size. */
export interface SasrecSettings {
  /** D, of item vectors and layers. */
  width: number;
  /** Transformer blocks. */
  blocks: number;
  /** Attention heads; they divide the width. */
  heads: number;
}

/** @throws InputError where the heads do not divide the width */
export function sasrec(
  { items, longest }: ModelSize,
  { width, blocks, heads }: SasrecSettings,
): SequenceModel<FlatHistories> {
  if (width % heads !== 0) throw new InputError(`sasrec: expected --heads to divide --width ${width}, got ${heads}`);
  const shapes = weightShapes(items, longest, width, blocks);
  return {
    shapes,
    longest,
    initial: (name, random) => {
      const shape = shapes.get(name)!;
      if (shape.length > 1) return xavierNormal(random, shape);
      if (name.includes('norm')) return new Float32Array(sizeOf(shape)).fill(name.endsWith('weight') ? 1 : 0);
      const convolution = /conv\d\.bias$/.test(name); // a linear layer's bias; those of attention are zero
      return convolution ? uniform(random, sizeOf(shape), 1 / Math.sqrt(width)) : new Float32Array(sizeOf(shape));
    },
    prepare: (histories) => flatHistories(histories, longest - 1),
    encode: (weights, prepared, dropout) => encode(weights, prepared, { width, blocks, heads }, dropout),
    encodeAll: (weights, prepared, dropout) => encode(weights, prepared, { width, blocks, heads }, dropout, true),
  };
}

function weightShapes(items: number, positions: number, width: number, blocks: number): Map<string, number[]> {
  const shapes = new Map<string, number[]>([
    [ITEM_TABLE, [items, width]],
    ['pos_emb.weight', [positions, width]],
  ]);
  const norm = (name: string): void => {
    shapes.set(`${name}.weight`, [width]).set(`${name}.bias`, [width]);
  };
  for (let block = 0; block < blocks; block++) {
    norm(`attention_layernorms.${block}`);
    for (const part of ['q', 'k', 'v', 'out']) {
      shapes.set(`attention_layers.${block}.${part}_proj.weight`, [width, width]);
      shapes.set(`attention_layers.${block}.${part}_proj.bias`, [width]);
    }
    norm(`forward_layernorms.${block}`);
    for (const part of ['conv1', 'conv2']) {
      shapes.set(`forward_layers.${block}.${part}.weight`, [width, width]);
      shapes.set(`forward_layers.${block}.${part}.bias`, [width]);
    }
  }
  norm('last_layernorm');
  return shapes;
}

/** @param all every token's state, not the last ones' alone @returns [B, D], of all [N, D] */
function encode(
  weights: Weights,
  { items, positions, last, inverse, sequences, ends }: FlatHistories,
  { width, blocks, heads }: SasrecSettings,
  dropout?: StepDropout,
  all = false,
): tf.Tensor2D {
  const drop = (dropout && dropoutFrom(dropout.random, dropout.rate)) ?? ((x: tf.Tensor2D) => x);
  const vector = (name: string): tf.Tensor1D => weights.get(name)! as tf.Tensor as tf.Tensor1D;
  const matrix = (name: string): tf.Tensor2D => weights.get(name)! as tf.Tensor as tf.Tensor2D;
  const linear = (x: tf.Tensor2D, name: string): tf.Tensor2D =>
    withBias(product(x, matrix(`${name}.weight`)), vector(`${name}.bias`));
  const norm = (x: tf.Tensor2D, name: string): tf.Tensor2D =>
    layerNorm(x, EPSILON, { weight: vector(`${name}.weight`), bias: vector(`${name}.bias`) });
  const attention = {
    keys: sequences,
    heads,
    scale: 1 / Math.sqrt(width / heads),
    weighting: 'softmax',
    dropout,
  } as const;
  return onTape([...weights.values()], () => {
    const embedded = sum(
      scaled(embedding(matrix(ITEM_TABLE), items), Math.sqrt(width)),
      embedding(matrix('pos_emb.weight'), positions),
    );
    let x = drop(embedded);
    for (let block = 0; block < blocks; block++) {
      const self = `attention_layers.${block}`;
      const seen = norm(x, `attention_layernorms.${block}`);
      // Nobody reads the last block's other tokens: its queries are the last tokens alone, which see all keys.
      const end = !all && block === blocks - 1;
      const asked = (every: tf.Tensor2D): tf.Tensor2D => (end ? chooseRows(every, last, inverse) : every);
      const [k, v] = ['k', 'v'].map((part) => linear(seen, `${self}.${part}_proj`));
      const q = linear(asked(seen), `${self}.q_proj`);
      const attended = sequenceAttention(q, k!, v!, { ...attention, queries: end ? ends : sequences, causal: !end });
      x = sum(asked(x), linear(attended, `${self}.out_proj`));
      const layer = `forward_layers.${block}`;
      const inner = relu(drop(linear(norm(x, `forward_layernorms.${block}`), `${layer}.conv1`)));
      x = sum(x, drop(linear(inner, `${layer}.conv2`)));
    }
    return norm(x, 'last_layernorm');
  });
}
