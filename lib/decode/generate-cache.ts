/**
 * Keys and values of texts that grow by a token a step, all at once. The prefixes are never copied for it, and what
 * grows is kept in pieces whose lengths are powers of two: two of a length become one, so that a place is copied
 * log2(steps) times, not once a step.
 *
 * Shapes: U texts that still grow, P longest prompt, S places of a piece, H query heads, Hk key heads, g = H / Hk,
 * d head width, D width.
 */
import * as tf from '@tensorflow/tfjs';
import { forwardTokens } from '../lm/decoder.js';
import type { LanguageModel } from '../lm/language-model.js';
import { rotaryFrequencies } from '../lm/rotary-frequencies.js';
import { rotaryTable } from '../ops/rotary.js';
import { padPaths, prefill, rowsByHead } from './prefill.js';

/** Keys and values of one layer. */
interface KeyValues {
  /** [U, Hk, places, d], rotated */
  keys: tf.Tensor4D;
  /** [U, Hk, places, d] */
  values: tf.Tensor4D;
}

/** Texts that grow, each a chain of tokens. */
export class ChainCache {
  /** Hidden state of every prompt's last token [U, D]. */
  readonly last: tf.Tensor2D;
  /** Of each layer: the prefix, then the pieces, oldest (and longest) first. */
  private readonly layers: KeyValues[][];
  private mask: tf.Tensor4D;
  /** Tokens of each text so far. */
  private lengths: number[];

  /** Runs the prompts once. The caller disposes of the cache. */
  constructor(
    private readonly model: LanguageModel,
    prompts: readonly (readonly number[])[],
  ) {
    const { last, layers, forest, ends } = prefill(model, prompts);
    const { nodes, mask } = padPaths(forest, ends);
    const padded = (x: tf.Tensor3D): tf.Tensor4D => tf.tidy(() => rowsByHead(x, nodes, prompts.length));
    this.last = last;
    this.layers = layers.map(({ keys, values }) => {
      const prefix = { keys: padded(keys), values: padded(values) };
      tf.dispose([keys, values]);
      return [prefix];
    });
    nodes.dispose();
    this.mask = mask;
    this.lengths = prompts.map(({ length }) => length);
  }

  /** Adds a token to every text. @param tokens [U] @returns their hidden states [U, D] */
  grow(tokens: readonly number[]): tf.Tensor2D {
    const { config, weights } = this.model;
    const positions = Int32Array.from(this.lengths);
    this.lengths = this.lengths.map((length) => length + 1);
    return tf.tidy(() => {
      const table = rotaryTable(positions, rotaryFrequencies(config));
      return forwardTokens(config, weights, tf.tensor1d([...tokens], 'int32'), table, (layer, q, k, v) => {
        this.append(layer, k, v);
        return this.attend(layer, q);
      });
    });
  }

  /** Drops all texts but some. @param rows their places among the present ones */
  keep(rows: readonly number[]): void {
    const gather = tf.tensor1d([...rows], 'int32');
    const take = (x: tf.Tensor4D): tf.Tensor4D => {
      const taken = tf.gather(x, gather);
      x.dispose();
      return taken;
    };
    for (const pieces of this.layers) {
      pieces.forEach(({ keys, values }, i) => (pieces[i] = { keys: take(keys), values: take(values) }));
    }
    this.mask = take(this.mask);
    this.lengths = rows.map((row) => this.lengths[row]!);
    gather.dispose();
  }

  private append(layer: number, k: tf.Tensor3D, v: tf.Tensor3D): void {
    const pieces = this.layers[layer]!;
    const texts = this.lengths.length;
    const { keyHeads, headDim } = this.model.config;
    const place = (x: tf.Tensor3D): tf.Tensor4D => tf.keep(tf.reshape(x, [texts, keyHeads, 1, headDim]));
    let added: KeyValues = { keys: place(k), values: place(v) };
    while (pieces.length > 1 && pieces.at(-1)!.keys.shape[2] === added.keys.shape[2])
      added = join(pieces.pop()!, added);
    pieces.push(added);
  }

  /** One softmax over the prefix and all pieces. @param q [U, H, d] @returns [U, H * d] */
  private attend(layer: number, q: tf.Tensor3D): tf.Tensor2D {
    const { heads, keyHeads, headDim } = this.model.config;
    const pieces = this.layers[layer]!;
    const texts = this.lengths.length;
    const rows = tf.mul(tf.reshape(q, [texts, keyHeads, heads / keyHeads, headDim]), 1 / Math.sqrt(headDim));
    const scores = pieces.map(({ keys }, i) => {
      const raw = tf.matMul(rows, keys, false, true); // [U, Hk, g, S]
      return i === 0 ? tf.add(raw, this.mask) : raw;
    });
    const shares = tf.split(
      tf.softmax(tf.concat(scores, 3)),
      pieces.map(({ keys }) => keys.shape[2]),
      3,
    );
    const mixed = shares.map((share, i) => tf.matMul(share, pieces[i]!.values)); // [U, Hk, g, d]
    return tf.reshape(tf.addN(mixed), [texts, heads * headDim]);
  }

  /** Frees what the cache holds; it cannot grow from then on. */
  dispose(): void {
    tf.dispose([this.last, this.mask]);
    for (const pieces of this.layers) for (const { keys, values } of pieces) tf.dispose([keys, values]);
  }
}

function join(first: KeyValues, second: KeyValues): KeyValues {
  const both = (a: tf.Tensor4D, b: tf.Tensor4D): tf.Tensor4D => {
    const whole = tf.keep(tf.concat([a, b], 2));
    tf.dispose([a, b]);
    return whole;
  };
  return { keys: both(first.keys, second.keys), values: both(first.values, second.values) };
}
