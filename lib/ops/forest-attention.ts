/**
 * Attention over forests of token trees (docs: a node sees exactly its ancestors and itself).
 *
 * Trees are gathered into padded blocks of like length for the score products alone; everything else in the model runs
 * on the flat [N, D]. Grouped queries share their keys without a copy: the query heads of a group are rows of one
 * product.
 *
 * Shapes: N tokens, B trees of a block, T its longest tree, H query heads, Hk key heads, g = H / Hk, d head width.
 */
import * as tf from '@tensorflow/tfjs';
import { customOp } from './custom-op.js';

export interface AttentionBlock {
  trees: number;
  length: number;
  /** Flat token of each place, int32 [B * T]; padding repeats token 0, which nothing sees. */
  gather: tf.Tensor1D;
  /** 1 where a place holds a token, 0 in padding, [B * T, 1, 1]; left out where nothing is padded. */
  real?: tf.Tensor3D;
  /** Added to the scores: [1 or B, 1, 1, T, T], 0 where a query (row) sees a key (column). */
  mask: tf.Tensor5D;
}

export interface AttentionPlan {
  blocks: AttentionBlock[];
  /** Where token n stands among the places of all blocks, int32 [N]. */
  place: tf.Tensor1D;
}

/**
 * @param q [N, H, d], rotated
 * @param k [N, Hk, d], rotated
 * @param v [N, Hk, d]
 * @returns [N, H * d]
 */
export function forestAttention(q: tf.Tensor3D, k: tf.Tensor3D, v: tf.Tensor3D, plan: AttentionPlan): tf.Tensor2D {
  const [tokens, heads, width] = q.shape;
  const keyHeads = k.shape[1];
  const group = heads / keyHeads;
  const scale = 1 / Math.sqrt(width);
  return customOp<tf.Rank.R2>(
    [q, k, v],
    (q, k, v) => {
      const parts: tf.Tensor[] = [];
      const saved: tf.Tensor[] = [];
      for (const block of plan.blocks) {
        const [qb, kb, vb] = [toBlock(q, block, group), toBlock(k, block, 1), toBlock(v, block, 1)];
        const probs = attend(qb, kb, block, group, scale); // [B, Hk, g * T, T]
        parts.push(fromBlock(tf.matMul(probs, vb), block, group));
        saved.push(probs);
      }
      return { value: tf.reshape(tf.gather(join(parts), plan.place), [tokens, heads * width]), saved };
    },
    (dy, [q, k, v], saved) => {
      const dq: tf.Tensor[] = [];
      const dk: tf.Tensor[] = [];
      const dv: tf.Tensor[] = [];
      const dFlat = tf.reshape(dy, [tokens, heads, width]);
      plan.blocks.forEach((block, i) => {
        const probs = saved[i]!;
        const [qb, kb, vb] = [toBlock(q!, block, group), toBlock(k!, block, 1), toBlock(v!, block, 1)];
        const dOut = toBlock(dFlat, block, group, block.real);
        const dProbs = tf.matMul(dOut, vb, false, true);
        const dScores = tf.mul(tf.mul(probs, tf.sub(dProbs, tf.sum(tf.mul(dProbs, probs), -1, true))), scale);
        dq.push(fromBlock(tf.matMul(dScores, kb), block, group));
        dk.push(fromBlock(tf.matMul(dScores, qb, true), block, 1));
        dv.push(fromBlock(tf.matMul(probs, dOut, true), block, 1));
      });
      return [dq, dk, dv].map((parts) => tf.gather(join(parts), plan.place));
    },
  );
}

/** Softmax of the masked scores. @returns [B, Hk, g * T, T] */
function attend(q: tf.Tensor, k: tf.Tensor, block: AttentionBlock, group: number, scale: number): tf.Tensor {
  const [trees, keyHeads] = q.shape as [number, number];
  const { length } = block;
  const scores = tf.mul(tf.matMul(q, k, false, true), scale);
  const masked = tf.add(tf.reshape(scores, [trees, keyHeads, group, length, length]), block.mask);
  return tf.reshape(tf.softmax(masked), [trees, keyHeads, group * length, length]);
}

/** [N, h, d] -> [B, h / group, group * T, d]; places outside `real` become zero. */
function toBlock(x: tf.Tensor, block: AttentionBlock, group: number, real?: tf.Tensor3D): tf.Tensor {
  const [, heads, width] = x.shape as [number, number, number];
  const { trees, length, gather } = block;
  const taken = tf.gather(x, gather); // [B * T, h, d]
  const rows = real ? tf.mul(taken, real) : taken;
  const split = tf.transpose(tf.reshape(rows, [trees, length, heads / group, group, width]), [0, 2, 3, 1, 4]);
  return tf.reshape(split, [trees, heads / group, group * length, width]);
}

/** [B, h, group * T, d] -> [B * T, h * group, d] */
function fromBlock(x: tf.Tensor, { trees, length }: AttentionBlock, group: number): tf.Tensor {
  const [, heads, , width] = x.shape as [number, number, number, number];
  const split = tf.transpose(tf.reshape(x, [trees, heads, group, length, width]), [0, 3, 1, 2, 4]);
  return tf.reshape(split, [trees * length, heads * group, width]);
}

function join(parts: tf.Tensor[]): tf.Tensor {
  return parts.length === 1 ? parts[0]! : tf.concat(parts, 0);
}
