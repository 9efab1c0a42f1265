/**
 * TIGER's network (Rajput et al., NeurIPS 2023, arXiv 2305.05065): T5 (Raffel et al., arXiv 1910.10683), an encoder over
 * the SIDs of the history and a decoder that writes the next item's.
 *
 * Follows transformers' `T5ForConditionalGeneration`, weights by its names: RMS norm before each part, no biases, no scale
 * of the scores, relative positions of the first layer for all layers, relu, one table for input and output, whose
 * hidden states are scaled by 1 / sqrt(D). Departure: no padding; token 0 begins an answer, none ends it.
 *
 * Shapes: M tokens of histories, N tokens of answers, D width, H heads, d head width, F feed-forward, V vocabulary.
 */
import * as tf from '@tensorflow/tfjs';
import type { Weights } from '../../lm/weights.js';
import { reshaped, sum } from '../../ops/basic.js';
import { dropoutFrom } from '../../ops/dropout.js';
import { embedding } from '../../ops/embedding.js';
import { linear, operand } from '../../ops/linear.js';
import type { Precision } from '../../ops/precision.js';
import { rmsNorm } from '../../ops/rms-norm.js';
import { relu, scaled } from '../../ops/sequence/activations.js';
import type { Sequences } from '../../ops/sequence/padded-rows.js';
import { sequenceAttention } from '../../ops/sequence/sequence-attention.js';
import { transposed } from '../../ops/sequence/windows.js';
import type { Random } from '../../support/random.js';
import { normal, sizeOf } from '../sequence/initial-weights.js';
import type { StepDropout } from '../sequence/sequence-model.js';
import { BUCKETS, bucketTable } from './relative-positions.js';

/** TIGER's size. */
export interface TigerSize {
  /** V, token 0 among them. */
  vocabSize: number;
  /** D */
  width: number;
  /** Of the encoder. */
  layers: number;
  /** Of the decoder. Default as many. */
  decoderLayers?: number;
  /** H */
  heads: number;
  /** d */
  headWidth: number;
  /** F */
  feedForward: number;
}

const EPSILON = 1e-6;
/** Token vectors, of the input and of the output. */
export const TABLE = 'shared.weight';

/** Every weight's shape, by transformers' names. */
export function tigerShapes({
  vocabSize,
  width,
  layers,
  decoderLayers = layers,
  heads,
  headWidth,
  feedForward,
}: TigerSize): Map<string, number[]> {
  const inner = heads * headWidth;
  const shapes = new Map<string, number[]>([[TABLE, [vocabSize, width]]]);
  for (const stack of ['encoder', 'decoder']) {
    const parts = stack === 'encoder' ? ['SelfAttention'] : ['SelfAttention', 'EncDecAttention'];
    for (let layer = 0; layer < (stack === 'encoder' ? layers : decoderLayers); layer++) {
      const at = `${stack}.block.${layer}.layer`;
      parts.forEach((part, i) => {
        for (const name of ['q', 'k', 'v']) shapes.set(`${at}.${i}.${part}.${name}.weight`, [inner, width]);
        shapes.set(`${at}.${i}.${part}.o.weight`, [width, inner]);
        if (layer === 0 && i === 0)
          shapes.set(`${at}.0.${part}.relative_attention_bias.weight`, [BUCKETS.count, heads]);
        shapes.set(`${at}.${i}.layer_norm.weight`, [width]);
      });
      const last = `${at}.${parts.length}`;
      shapes.set(`${last}.DenseReluDense.wi.weight`, [feedForward, width]);
      shapes.set(`${last}.DenseReluDense.wo.weight`, [width, feedForward]);
      shapes.set(`${last}.layer_norm.weight`, [width]);
    }
    shapes.set(`${stack}.final_layer_norm.weight`, [width]);
  }
  return shapes;
}

/** A weight's first numbers, as transformers' T5 makes them. */
export function tigerInitial(size: TigerSize, name: string, random: Random): Float32Array {
  const count = sizeOf(tigerShapes(size).get(name)!);
  if (name.includes('norm')) return new Float32Array(count).fill(1);
  const { width, heads, headWidth, feedForward } = size;
  if (name === TABLE) return normal(random, count, 1);
  if (name.endsWith('.q.weight')) return normal(random, count, 1 / Math.sqrt(width * headWidth));
  if (name.endsWith('.o.weight')) return normal(random, count, 1 / Math.sqrt(heads * headWidth));
  return normal(random, count, 1 / Math.sqrt(name.endsWith('.wo.weight') ? feedForward : width));
}

/** A network: its size, its weights, and how it computes. */
export interface TigerNetwork {
  size: TigerSize;
  weights: Weights;
  /** Of the products; norms, attention and sums are float32. Default float32. */
  precision?: Precision;
}

/** A pass through the network: on a tape where a gradient is asked for, else within `tf.tidy`. */
export class TigerPass {
  private readonly drop: (x: tf.Tensor2D) => tf.Tensor2D;

  /** @param dropout of training */
  constructor(
    private readonly network: TigerNetwork,
    private readonly dropout?: StepDropout,
  ) {
    this.drop = (dropout && dropoutFrom(dropout.random, dropout.rate)) ?? ((x) => x);
  }

  /** @param ids int32 [M] @returns [M, D] */
  encode(ids: tf.Tensor1D, histories: Sequences): tf.Tensor2D {
    let x = this.drop(embedding(this.table(), ids));
    const bias = this.bias('encoder', histories.longest, true);
    for (let layer = 0; layer < this.network.size.layers; layer++) {
      const at = `encoder.block.${layer}.layer`;
      const seen = this.operand(this.norm(x, `${at}.0.layer_norm`));
      x = sum(x, this.attention(seen, seen, `${at}.0.SelfAttention`, histories, histories, { causal: false, bias }));
      x = sum(x, this.feedForward(x, `${at}.1`));
    }
    return this.drop(this.norm(x, 'encoder.final_layer_norm'));
  }

  /**
   * @param ids int32 [N], each answer begins with token 0
   * @param answers sequences by themselves @param groups all tokens of the answers to each history
   * @returns hidden states whose product with the table are the logits [N, D]
   */
  decode(
    ids: tf.Tensor1D,
    answers: Sequences,
    groups: Sequences,
    encoded: tf.Tensor2D,
    histories: Sequences,
  ): tf.Tensor2D {
    const { size } = this.network;
    let x = this.drop(embedding(this.table(), ids));
    const memory = this.operand(encoded); // rounded once for all layers
    const bias = this.bias('decoder', answers.longest, false);
    for (let layer = 0; layer < (size.decoderLayers ?? size.layers); layer++) {
      const at = `decoder.block.${layer}.layer`;
      const own = this.operand(this.norm(x, `${at}.0.layer_norm`));
      x = sum(x, this.attention(own, own, `${at}.0.SelfAttention`, answers, answers, { causal: true, bias }));
      const asking = this.operand(this.norm(x, `${at}.1.layer_norm`));
      x = sum(x, this.attention(asking, memory, `${at}.1.EncDecAttention`, groups, histories, { causal: false }));
      x = sum(x, this.feedForward(x, `${at}.2`));
    }
    return scaled(this.drop(this.norm(x, 'decoder.final_layer_norm')), 1 / Math.sqrt(size.width));
  }

  /** [V, D] */
  table(): tf.Tensor2D {
    return this.weight(TABLE);
  }

  private weight(name: string): tf.Tensor2D {
    return this.network.weights.get(name)! as tf.Tensor as tf.Tensor2D;
  }

  private operand(x: tf.Tensor2D): tf.Tensor2D {
    return operand(x, this.network.precision);
  }

  /** @param x an operand */
  private product(x: tf.Tensor2D, name: string): tf.Tensor2D {
    return linear(x, this.weight(name), this.network.precision);
  }

  private norm(x: tf.Tensor2D, name: string): tf.Tensor2D {
    return rmsNorm(x, this.network.weights.get(`${name}.weight`)! as tf.Tensor as tf.Tensor1D, EPSILON);
  }

  private attention(
    asking: tf.Tensor2D,
    asked: tf.Tensor2D,
    name: string,
    queries: Sequences,
    keys: Sequences,
    { causal, bias }: { causal: boolean; bias?: tf.Tensor4D },
  ): tf.Tensor2D {
    const q = this.product(asking, `${name}.q.weight`);
    const [k, v] = ['k', 'v'].map((part) => this.product(asked, `${name}.${part}.weight`));
    const { heads } = this.network.size;
    const options = {
      queries,
      keys,
      heads,
      scale: 1,
      causal,
      weighting: 'softmax',
      bias,
      dropout: this.dropout,
    } as const;
    return this.drop(this.product(this.operand(sequenceAttention(q, k!, v!, options)), `${name}.o.weight`));
  }

  private feedForward(x: tf.Tensor2D, name: string): tf.Tensor2D {
    const normal = this.operand(this.norm(x, `${name}.layer_norm`));
    const inner = relu(this.product(normal, `${name}.DenseReluDense.wi.weight`));
    return this.drop(this.product(this.operand(this.drop(inner)), `${name}.DenseReluDense.wo.weight`));
  }

  /** [1, H, length, length] */
  private bias(stack: string, length: number, both: boolean): tf.Tensor4D {
    const table = this.weight(`${stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`);
    const flat = embedding(table, tf.tensor1d(bucketTable(length, length, both), 'int32')); // [length^2, H]
    const { heads } = this.network.size;
    return reshaped<tf.Rank.R4>(transposed(flat, [1, 0]), [1, heads, length, length]);
  }
}
