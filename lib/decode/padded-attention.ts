/**
 * Attention of a step's new nodes, the plain implementation: users side by side, padded to the one with the most nodes.
 *
 * Shapes: U users, P longest prompt, S grown nodes that a user's rows see at most, n new nodes, q of them a user at most,
 * H query heads, Hk key heads, g = H / Hk, d head width.
 */
import * as tf from '@tensorflow/tfjs';
import type { Forest } from '../lm/forest.js';
import { HIDDEN } from '../ops/forest-attention.js';
import { type LayerNodes, padPaths, type PaddedPaths, rowsByHead } from './prefill.js';
import type { StepAttention, StepAttentions } from './step-attention.js';

/** What a step's rows see of the grown nodes. */
interface StepPlan {
  /** Row of each place, int32 [U * q]; padding repeats row 0, which nobody reads. */
  rows: tf.Tensor1D;
  /** Place of each row, int32 [n]. */
  place: tf.Tensor1D;
  /** Grown node of each place, counted from the first grown one; padding repeats a user's first, int32 [U * S]. */
  nodes: tf.Tensor1D;
  /** Added to scores on them [U, 1, q, S]: 0 on a row's own ancestors and itself. */
  mask: tf.Tensor4D;
}

/** The prompts' keys and values, side by side. */
export class PaddedAttention implements StepAttentions {
  private readonly paths: PaddedPaths;
  /** [U, Hk, P, d] of each layer. */
  private readonly layers: { keys: tf.Tensor4D; values: tf.Tensor4D }[];
  /** User of the node at the end of each prompt; prompts that are the same are one user. */
  private readonly userOf: Map<number, number>;

  /** @param layers given up @param ends of the prompts */
  constructor(layers: readonly LayerNodes[], forest: Forest, ends: Int32Array) {
    const distinct = [...new Set(ends)];
    this.userOf = new Map(distinct.map((end, user) => [end, user]));
    this.paths = padPaths(forest, distinct);
    const padded = (x: tf.Tensor3D): tf.Tensor4D => tf.tidy(() => rowsByHead(x, this.paths.nodes, distinct.length));
    this.layers = layers.map(({ keys, values }) => {
      const own = { keys: padded(keys), values: padded(values) };
      tf.dispose([keys, values]);
      return own;
    });
  }

  plan(parent: readonly number[], first: number, grown: number): StepAttention {
    const plan = planStep(parent, first, grown, this.userOf);
    return (layer, q, nodes) => this.attend(layer, q, nodes, plan);
  }

  /** One softmax over prefix and own ancestors. @returns [n, H * d] */
  private attend(layer: number, q: tf.Tensor3D, grown: LayerNodes, plan: StepPlan): tf.Tensor2D {
    const [, heads, width] = q.shape;
    const users = this.userOf.size;
    const { keys, values } = this.layers[layer]!;
    const [keyHeads, count] = [keys.shape[1], plan.rows.size / users];
    const own = (x: tf.Tensor3D): tf.Tensor4D => rowsByHead(x, plan.nodes, users);
    const seen = plan.nodes.size / users;
    const byGroup = [users, keyHeads, (heads / keyHeads) * count];
    const rows = tf.mul(tf.reshape(rowsByHead(q, plan.rows, users), [...byGroup, width]), 1 / Math.sqrt(width));
    const onPrefix = tf.add(tf.matMul(rows, keys, false, true), this.paths.mask); // [U, Hk, g * q, P]
    const raw = tf.reshape(tf.matMul(rows, own(grown.keys), false, true), [users, heads, count, seen]);
    const onOwn = tf.reshape(tf.add(raw, plan.mask), [...byGroup, seen]);
    const probs = tf.softmax(tf.concat([onPrefix, onOwn], 3));
    const [prefixShare, ownShare] = tf.split(probs, [this.paths.longest, seen], 3) as [tf.Tensor, tf.Tensor];
    const mixed = tf.add(tf.matMul(prefixShare, values), tf.matMul(ownShare, own(grown.values)));
    const back = tf.transpose(tf.reshape(mixed, [users, heads, count, width]), [0, 2, 1, 3]);
    return tf.gather(tf.reshape(back, [users * count, heads * width]), plan.place) as tf.Tensor2D;
  }

  dispose(): void {
    tf.dispose([this.paths.nodes, this.paths.mask]);
    for (const { keys, values } of this.layers) tf.dispose([keys, values]);
  }
}

/** Rows and what they see, by user. */
function planStep(
  parent: readonly number[],
  first: number,
  grown: number,
  userOf: ReadonlyMap<number, number>,
): StepPlan {
  const ofUser = Array.from(userOf, () => ({ rows: [] as number[], seen: new Map<number, number>() }));
  const ancestors: number[][] = []; // of each row: grown nodes, itself first
  for (let node = first; node < parent.length; node++) {
    const line: number[] = [];
    let at = node;
    for (; at >= grown; at = parent[at]!) line.push(at);
    const { rows, seen } = ofUser[userOf.get(at)!]!;
    for (const node of line) if (!seen.has(node)) seen.set(node, seen.size);
    rows.push(node - first);
    ancestors.push(line);
  }
  const width = ofUser.reduce((most, { rows }) => Math.max(most, rows.length), 0);
  const places = ofUser.reduce((most, { seen }) => Math.max(most, seen.size), 0);
  const rows = new Int32Array(ofUser.length * width);
  const place = new Int32Array(parent.length - first);
  const nodes = new Int32Array(ofUser.length * places);
  const mask = new Float32Array(ofUser.length * width * places).fill(HIDDEN);
  ofUser.forEach((own, user) => {
    const [filler = grown] = own.seen.keys(); // a node of the user's own: a NaN is not hidden by the mask
    nodes.fill(filler - grown, user * places, (user + 1) * places);
    for (const [node, at] of own.seen) nodes[user * places + at] = node - grown;
    own.rows.forEach((row, i) => {
      const at = user * width + i;
      rows[at] = row;
      place[row] = at;
      for (const node of ancestors[row]!) mask[at * places + own.seen.get(node)!] = 0;
    });
  });
  return {
    rows: tf.tensor1d(rows, 'int32'),
    place: tf.tensor1d(place, 'int32'),
    nodes: tf.tensor1d(nodes, 'int32'),
    mask: tf.tensor4d(mask, [ofUser.length, 1, width, places]),
  };
}
