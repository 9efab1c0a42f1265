/**
 * The prompts' own pass through the model, once, each distinct beginning once: what their continuations then see.
 *
 * Shapes: U prompts, N distinct tokens of them, P longest prompt, Hk key heads, d head width, D width.
 */
import * as tf from '@tensorflow/tfjs';
import { forwardTokens, prepareForest } from '../lm/decoder.js';
import type { Forest } from '../lm/forest.js';
import type { LanguageModel } from '../lm/language-model.js';
import { pathTo, shareBeginnings } from '../lm/shared-forest.js';
import { forestAttention, HIDDEN } from '../ops/forest-attention.js';
import { hasFused } from '../ops/fused.js';

/** Keys and values of one layer, a node a row. */
export interface LayerNodes {
  /** [N, Hk, d], rotated */
  keys: tf.Tensor3D;
  /** [N, Hk, d] */
  values: tf.Tensor3D;
}

/** Prompts as the prefixes of what is decoded after them. */
export interface Prefixes {
  /** Hidden state of every prompt's last token [U, D]. */
  last: tf.Tensor2D;
  /** One a layer. */
  layers: LayerNodes[];
  /** The prompts' tokens. */
  forest: Forest;
  /** Node of every prompt's last token [U]. */
  ends: Int32Array;
}

/** The caller owns every tensor of the result. @throws if there is no prompt, or one without a token */
export function prefill(model: LanguageModel, prompts: readonly (readonly number[])[]): Prefixes {
  if (prompts.length === 0 || prompts.some((prompt) => prompt.length === 0)) {
    throw new Error('prefill: expected prompts of at least a token');
  }
  const { config, weights } = model;
  const { forest, ends } = shareBeginnings(prompts, hasFused('SidlabForestAttention'));
  const layers: LayerNodes[] = [];
  const last = tf.tidy(() => {
    const { ids, table, plan } = prepareForest(config, forest);
    const hidden = forwardTokens(config, weights, ids, table, (_, q, k, v) => {
      layers.push({ keys: tf.keep(k.clone()), values: tf.keep(v.clone()) });
      return forestAttention(q, k, v, plan);
    });
    return tf.gather(hidden, tf.tensor1d(ends, 'int32'));
  });
  return { last, layers, forest, ends };
}

/** Prefixes side by side. */
export interface PaddedPaths {
  /** Nodes of each path, a shorter one's last node repeated, int32 [U * P]. */
  nodes: tf.Tensor1D;
  /** Added to scores on the prefix [U, 1, 1, P]: 0 on a path's own nodes. */
  mask: tf.Tensor4D;
  /** P */
  longest: number;
}

/** The paths to some nodes of a forest. */
export function padPaths(forest: Forest, ends: ArrayLike<number>): PaddedPaths {
  const paths = Array.from(ends, (end) => pathTo(forest, end));
  const longest = paths.reduce((most, { length }) => Math.max(most, length), 0);
  const nodes = new Int32Array(paths.length * longest);
  const mask = new Float32Array(paths.length * longest);
  paths.forEach((path, u) => {
    nodes.fill(path.at(-1)!, u * longest, (u + 1) * longest);
    nodes.set(path, u * longest);
    mask.fill(HIDDEN, u * longest + path.length, (u + 1) * longest);
  });
  return { nodes: tf.tensor1d(nodes, 'int32'), mask: tf.tensor4d(mask, [paths.length, 1, 1, longest]), longest };
}

/** Rows of nodes side by side, by head. @param x [N, Hk, d] @param nodes int32 [U * P] @returns [U, Hk, P, d] */
export function rowsByHead(x: tf.Tensor3D, nodes: tf.Tensor1D, users: number): tf.Tensor4D {
  const [, heads, width] = x.shape;
  const rows = tf.reshape(tf.gather(x, nodes), [users, nodes.size / users, heads, width]);
  return tf.transpose(rows, [0, 2, 1, 3]) as tf.Tensor4D;
}
