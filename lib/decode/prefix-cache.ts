/**
 * Keys and values of many users' prompts, and of the beams that grow on them. Nothing is copied or moved when beams are
 * re-ranked: a beam is its leaf, and sees its own ancestors by a mask.
 *
 * Shapes: U users, P longest prompt, S nodes grown so far a user, n nodes grown in this step a user, H query heads,
 * Hk key heads, g = H / Hk, d head width, D width.
 */
import * as tf from '@tensorflow/tfjs';
import { forwardTokens } from '../lm/decoder.js';
import type { LanguageModel } from '../lm/language-model.js';
import { rotaryFrequencies } from '../lm/rotary-frequencies.js';
import { rotaryTable } from '../ops/rotary.js';
import { HIDDEN, prefill } from './prefill.js';

interface LayerCache {
  /** [U, Hk, P, d] */
  prefixKeys: tf.Tensor4D;
  prefixValues: tf.Tensor4D;
  /** [U, Hk, S, d], absent before the first step. */
  keys?: tf.Tensor4D;
  values?: tf.Tensor4D;
}

/** The prompts of some users, and what is decoded after them. */
export class PrefixCache {
  /** Hidden state of every prompt's last token [U, D]. */
  readonly last: tf.Tensor2D;
  private readonly layers: LayerCache[];
  private readonly lengths: number[];
  private readonly longest: number;
  /** Added to scores on the prefix [U, 1, 1, P]: 0 on a user's own prompt. */
  private readonly prefixMask: tf.Tensor4D;
  /** Of each grown node: its parent among the grown ones (-1: the prefix); [U][S]. */
  private readonly parents: number[][];

  /** Runs the prompts once, as a forest of chains. The caller disposes of the cache. */
  constructor(
    private readonly model: LanguageModel,
    prompts: readonly (readonly number[])[],
  ) {
    const { last, layers, mask, lengths, longest } = prefill(model, prompts);
    this.last = last;
    this.layers = layers.map(({ keys, values }) => ({ prefixKeys: keys, prefixValues: values }));
    this.prefixMask = mask;
    this.lengths = lengths;
    this.longest = longest;
    this.parents = prompts.map(() => []);
  }

  /**
   * Adds `n` nodes a user and returns their hidden states [U * n, D], user by user. A node's parent may be one of the
   * same step that comes before it.
   * @param tokens [U][n] @param parents [U][n] index among the user's grown nodes, -1 for the prefix's end
   */
  grow(tokens: readonly (readonly number[])[], parents: readonly (readonly number[])[]): tf.Tensor2D {
    const { config, weights } = this.model;
    const users = tokens.length;
    const count = tokens[0]!.length;
    parents.forEach((of, u) => this.parents[u]!.push(...of));
    const grown = this.parents[0]!.length;
    const { mask, positions } = this.ancestors(count, grown);
    return tf.tidy(() => {
      const ids = tf.tensor1d(tokens.flat(), 'int32');
      const table = rotaryTable(positions, rotaryFrequencies(config));
      const own = tf.tensor4d(mask, [users, 1, count, grown]);
      return forwardTokens(config, weights, ids, table, (layer, q, k, v) => {
        this.append(layer, k, v, users, count);
        return this.attend(layer, q, own, users, count);
      });
    });
  }

  /** Which grown nodes each new one sees, 0 or hidden [U, n, S], and its position [U * n]. */
  private ancestors(count: number, grown: number): { mask: Float32Array; positions: Int32Array } {
    const mask = new Float32Array(this.parents.length * count * grown).fill(HIDDEN);
    const positions = new Int32Array(this.parents.length * count);
    this.parents.forEach((parents, u) => {
      for (let i = 0; i < count; i++) {
        const row = (u * count + i) * grown;
        let depth = this.lengths[u]! - 1;
        for (let a = grown - count + i; a >= 0; a = parents[a]!) {
          mask[row + a] = 0;
          depth++;
        }
        positions[u * count + i] = depth;
      }
    });
    return { mask, positions };
  }

  private append(layer: number, k: tf.Tensor3D, v: tf.Tensor3D, users: number, count: number): void {
    const { keyHeads, headDim } = this.model.config;
    const cache = this.layers[layer]!;
    const extend = (old: tf.Tensor4D | undefined, x: tf.Tensor3D): tf.Tensor4D => {
      const added = tf.transpose(tf.reshape(x, [users, count, keyHeads, headDim]), [0, 2, 1, 3]) as tf.Tensor4D;
      const all = tf.keep(old ? (tf.concat([old, added], 2) as tf.Tensor4D) : added);
      old?.dispose();
      return all;
    };
    cache.keys = extend(cache.keys, k);
    cache.values = extend(cache.values, v);
  }

  /** One softmax over prefix and own ancestors. @param own [U, 1, n, S] @returns [U * n, H * d] */
  private attend(layer: number, q: tf.Tensor3D, own: tf.Tensor4D, users: number, count: number): tf.Tensor2D {
    const { heads, keyHeads, headDim } = this.model.config;
    const group = heads / keyHeads;
    const { prefixKeys, prefixValues, keys, values } = this.layers[layer]!;
    const grown = keys!.shape[2];
    const byHead = tf.transpose(tf.reshape(q, [users, count, heads, headDim]), [0, 2, 1, 3]);
    const rows = tf.mul(tf.reshape(byHead, [users, keyHeads, group * count, headDim]), 1 / Math.sqrt(headDim));
    const onPrefix = tf.add(tf.matMul(rows, prefixKeys, false, true), this.prefixMask); // [U, Hk, g * n, P]
    const raw = tf.reshape(tf.matMul(rows, keys!, false, true), [users, heads, count, grown]);
    const onOwn = tf.reshape(tf.add(raw, own), [users, keyHeads, group * count, grown]);
    const probs = tf.softmax(tf.concat([onPrefix, onOwn], 3));
    const [prefixShare, ownShare] = tf.split(probs, [this.longest, grown], 3) as [tf.Tensor, tf.Tensor];
    const mixed = tf.add(tf.matMul(prefixShare, prefixValues), tf.matMul(ownShare, values!));
    const back = tf.transpose(tf.reshape(mixed, [users, heads, count, headDim]), [0, 2, 1, 3]);
    return tf.reshape(back, [users * count, heads * headDim]);
  }

  /** Frees what the cache holds; it cannot grow from then on. */
  dispose(): void {
    tf.dispose([this.last, this.prefixMask]);
    for (const { prefixKeys, prefixValues, keys, values } of this.layers) {
      tf.dispose([prefixKeys, prefixValues]);
      keys?.dispose();
      values?.dispose();
    }
  }
}
