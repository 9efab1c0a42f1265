/**
 * Keys and values of many users' prompts, and of the beams that grow on them: one forest. Nothing is copied or moved when
 * beams are re-ranked: a beam is its leaf, and sees its own ancestors.
 *
 * Shapes: U users, N nodes of the prompts, S nodes grown so far, n nodes grown in this step, Hk key heads, d head width,
 * D width.
 */
import * as tf from '@tensorflow/tfjs';
import { forwardTokens } from '../lm/decoder.js';
import type { LanguageModel } from '../lm/language-model.js';
import { rotaryFrequencies } from '../lm/rotary-frequencies.js';
import { hasFused } from '../ops/fused.js';
import { rotaryTable } from '../ops/rotary.js';
import { PaddedAttention } from './padded-attention.js';
import { PathAttention } from './path-attention.js';
import { type LayerNodes, prefill } from './prefill.js';
import type { StepAttentions } from './step-attention.js';

/** The prompts of some users, and what is decoded after them. */
export class ForestCache {
  /** Hidden state of every prompt's last token [U, D]. */
  readonly last: tf.Tensor2D;
  /** Node of every prompt's last token [U]. */
  readonly ends: Int32Array;
  /** Parent and depth of every node. */
  private readonly parent: number[];
  private readonly depth: number[];
  private readonly prompts: number;
  private readonly attention: StepAttentions;
  /** Grown nodes of each layer, absent before the first step. */
  private readonly layers: (LayerNodes | undefined)[];

  /** Runs the prompts once. The caller disposes of the cache. */
  constructor(
    private readonly model: LanguageModel,
    prompts: readonly (readonly number[])[],
  ) {
    const { last, layers, forest, ends } = prefill(model, prompts);
    this.last = last;
    this.ends = ends;
    this.parent = [...forest.parent];
    this.depth = [...forest.depth];
    this.prompts = this.parent.length;
    this.layers = layers.map(() => undefined);
    this.attention = hasFused('SidlabPathAttention')
      ? new PathAttention(layers, forest)
      : new PaddedAttention(layers, forest, ends);
  }

  /** Nodes so far: the next one's number. */
  get size(): number {
    return this.parent.length;
  }

  /**
   * Adds nodes, numbered from `size` on, and returns their hidden states [n, D]. A node's parent may be one of the same
   * step that comes before it.
   * @param tokens [n] @param parents nodes: one of `ends`, or a grown one [n]
   */
  grow(tokens: Int32Array, parents: readonly number[]): tf.Tensor2D {
    const { config, weights } = this.model;
    const first = this.size;
    for (const parent of parents) {
      this.depth.push(this.depth[parent]! + 1);
      this.parent.push(parent);
    }
    return tf.tidy(() => {
      const see = this.attention.plan(this.parent, first, this.prompts);
      const table = rotaryTable(this.depth.slice(first), rotaryFrequencies(config));
      return forwardTokens(config, weights, tf.tensor1d(tokens, 'int32'), table, (layer, q, k, v) =>
        see(layer, q, this.append(layer, k, v)),
      );
    });
  }

  private append(layer: number, k: tf.Tensor3D, v: tf.Tensor3D): LayerNodes {
    const old = this.layers[layer];
    const keys = tf.keep(old ? tf.concat([old.keys, k], 0) : k.clone());
    const values = tf.keep(old ? tf.concat([old.values, v], 0) : v.clone());
    if (old) tf.dispose([old.keys, old.values]);
    return (this.layers[layer] = { keys, values });
  }

  /** Frees what the cache holds; it cannot grow from then on. */
  dispose(): void {
    this.last.dispose();
    this.attention.dispose();
    for (const layer of this.layers) if (layer) tf.dispose([layer.keys, layer.values]);
  }
}
