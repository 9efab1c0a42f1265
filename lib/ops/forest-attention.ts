/**
 * Attention over forests of token trees: a node sees exactly its ancestors and itself.
 *
 * The plain implementation gathers trees into padded blocks of similar length for the score products alone; everything
 * else in the model runs on the flat [N, D]. Grouped queries share their keys without a copy: the query heads of a group
 * are rows of one product.
 *
 * The fused implementation (`kernels/tensorflow/ops/forest_attention.cc`) takes what each node sees as runs of nodes. It
 * pads nothing, keeps no scores, and refuses runs that leave a node's own tree or its past.
 *
 * Shapes: N tokens, B trees of a block, T its longest tree, H query heads, Hk key heads, g = H / Hk, d head width.
 */
import * as tf from '@tensorflow/tfjs';
import { customOp } from './custom-op.js';
import { runFused } from './fused.js';

/** Score of what a query does not see. */
export const HIDDEN = -1e9;

/** Trees of similar length, padded to the longest. */
export interface AttentionBlock {
  /** B */
  trees: number;
  /** T, of the longest tree. */
  length: number;
  /** Flat token of each place, int32 [B * T]; padding repeats token 0, which nothing sees. */
  gather: tf.Tensor1D;
  /** 1 where a place holds a token, 0 in padding, [B * T, 1, 1]; left out where nothing is padded. */
  real?: tf.Tensor3D;
  /** Added to the scores: [1 or B, 1, T, T], 0 where a query (row) sees a key (column). */
  mask: tf.Tensor4D;
}

/** What each node sees, as runs of nodes. R runs. */
export interface AttentionSpans {
  /** First of each node's runs, and R at the end: int32 [N + 1]. */
  runStart: tf.Tensor1D;
  /** Begin and end of each run, a node's in ascending order, the last of which ends with itself: int32 [R, 2]. */
  runs: tf.Tensor2D;
  /** Where trees begin, and N at the end: int32 [trees + 1]. */
  starts: tf.Tensor1D;
}

/** For the fused implementation where the engine has it, else for the plain one. */
export type AttentionPlan = { spans: AttentionSpans } | AttentionBlocks;

/** What the plain implementation needs of a forest. */
export interface AttentionBlocks {
  spans?: undefined;
  /** All trees, each in one block. */
  blocks: AttentionBlock[];
  /** Position of token n among the places of all blocks, int32 [N]. */
  place: tf.Tensor1D;
}

/**
 * @param q [N, H, d], rotated
 * @param k [N, Hk, d], rotated
 * @param v [N, Hk, d]
 * @returns [N, H * d]
 */
export function forestAttention(q: tf.Tensor3D, k: tf.Tensor3D, v: tf.Tensor3D, plan: AttentionPlan): tf.Tensor2D {
  return plan.spans ? fusedAttention(q, k, v, plan.spans) : plainAttention(q, k, v, plan);
}

function fusedAttention(q: tf.Tensor3D, k: tf.Tensor3D, v: tf.Tensor3D, spans: AttentionSpans): tf.Tensor2D {
  const { runStart, runs, starts } = spans;
  return customOp<tf.Rank.R2>(
    [q, k, v],
    (...inputs) => {
      const [value, total] = runFused('SidlabForestAttention', [...inputs, runStart, runs, starts]);
      return { value: value!, saved: [value!, total!] };
    },
    (dy, inputs, saved) => runFused('SidlabForestAttentionGrad', [dy, ...inputs, ...saved, runStart, runs, starts]),
  );
}

function plainAttention(q: tf.Tensor3D, k: tf.Tensor3D, v: tf.Tensor3D, plan: AttentionBlocks): tf.Tensor2D {
  const [tokens, heads, width] = q.shape;
  const keyHeads = k.shape[1];
  const group = heads / keyHeads;
  const scale = 1 / Math.sqrt(width);
  return customOp<tf.Rank.R2>(
    [q, k, v],
    (q, k, v) => {
      const parts: tf.Tensor[] = [];
      const saved: tf.Tensor[] = [];
      const allFinite = Number.isFinite(tf.add(tf.sum(k!), tf.sum(v!)).dataSync()[0]);
      for (const block of plan.blocks) {
        const [qb, kb, seen] = [toBlock(q, block, group), toBlock(k, block, 1), toBlock(v, block, 1)];
        const spoilt = allFinite ? undefined : spoiltKeys(seen);
        const vb = spoilt ? tf.where(tf.isFinite(seen), seen, 0) : seen;
        const probs = attend(qb, kb, block, scale, spoilt); // [B, Hk, g * T, T]
        parts.push(fromBlock(tf.matMul(probs, vb), block, heads));
        saved.push(probs, qb, kb, vb);
      }
      return { value: tf.reshape(tf.gather(join(parts), plan.place), [tokens, heads * width]), saved };
    },
    (dy, _, saved) => {
      const dq: tf.Tensor[] = [];
      const dk: tf.Tensor[] = [];
      const dv: tf.Tensor[] = [];
      const dFlat = tf.reshape(dy, [tokens, heads, width]);
      plan.blocks.forEach((block, i) => {
        const [probs, qb, kb, vb] = saved.slice(4 * i) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
        const dOut = toBlock(dFlat, block, group, block.real);
        const dProbs = tf.matMul(dOut, vb, false, true);
        const dScores = tf.mul(tf.mul(probs, tf.sub(dProbs, tf.sum(tf.mul(dProbs, probs), -1, true))), scale);
        dq.push(fromBlock(tf.matMul(dScores, kb), block, heads));
        dk.push(fromBlock(tf.matMul(dScores, qb, true), block, keyHeads));
        dv.push(fromBlock(tf.matMul(probs, dOut, true), block, keyHeads));
      });
      return [dq, dk, dv].map((parts) => tf.gather(join(parts), plan.place));
    },
  );
}

/**
 * Softmax of the masked scores. A sum does not hide a NaN or an infinity, so that a token which holds one (its own tree's
 * later tokens, or token 0 as padding) would reach those that do not see it: given `spoilt`, scores are chosen instead.
 * @param spoilt added to the scores of a key: NaN where its value is not finite, else 0 [B, Hk, 1, T]
 * @returns [B, Hk, g * T, T]
 */
function attend(
  q: tf.Tensor,
  k: tf.Tensor,
  { length, mask }: AttentionBlock,
  scale: number,
  spoilt?: tf.Tensor,
): tf.Tensor {
  const shape = [...q.shape.slice(0, 3), length];
  const scores = tf.mul(tf.matMul(q, k, false, true), scale);
  const marked = spoilt ? tf.add(scores, spoilt) : scores;
  const byHead = shaped(marked, [q.shape[0]!, -1, length, length]); // a query head's rows lie together
  const masked = spoilt ? tf.where(tf.equal(mask, 0), byHead, tf.scalar(HIDDEN)) : tf.add(byHead, mask);
  return shaped(tf.softmax(masked), shape);
}

/** @param values [B, Hk, T, d] @returns NaN for each value that is not finite, else 0 [B, Hk, 1, T] */
function spoiltKeys(values: tf.Tensor): tf.Tensor {
  const [trees, heads, length] = values.shape as [number, number, number];
  return tf.reshape(tf.sum(tf.mul(values, 0), -1), [trees, heads, 1, length]);
}

/** [N, h, d] -> [B, h / group, group * T, d]; places outside `real` become zero. */
function toBlock(x: tf.Tensor, block: AttentionBlock, group: number, real?: tf.Tensor3D): tf.Tensor {
  const [, heads, width] = x.shape as [number, number, number];
  const { trees, length, gather } = block;
  const taken = tf.gather(x, gather); // [B * T, h, d]
  const rows = real ? tf.mul(taken, real) : taken;
  const byHead = tf.transpose(tf.reshape(rows, [trees, length, heads, width]), [0, 2, 1, 3]);
  return shaped(byHead, [trees, heads / group, group * length, width]);
}

/** [B, h / group, group * T, d] -> [B * T, h, d] */
function fromBlock(x: tf.Tensor, { trees, length }: AttentionBlock, heads: number): tf.Tensor {
  const width = x.shape[3]!;
  const byPlace = tf.transpose(shaped(x, [trees, heads, length, width]), [0, 2, 1, 3]);
  return tf.reshape(byPlace, [trees * length, heads, width]);
}

/** A reshape that costs nothing where nothing changes: on a native engine each is a call. */
function shaped(x: tf.Tensor, shape: number[]): tf.Tensor {
  const size = shape.reduce((product, n) => product * Math.abs(n), 1);
  const whole = shape.map((n) => (n === -1 ? x.size / size : n));
  return whole.length === x.rank && whole.every((n, i) => n === x.shape[i]) ? x : tf.reshape(x, whole);
}

function join(parts: tf.Tensor[]): tf.Tensor {
  return parts.length === 1 ? parts[0]! : tf.concat(parts, 0);
}
