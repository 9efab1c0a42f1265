/**
 * Attention between sequences, with what attention over forests lacks: dropout of the weights, a bias that is trained,
 * weights without a softmax, keys of other sequences than the queries. For short sequences: the weights are kept.
 *
 * Shapes: B sequences, Tq and Tk the longest of queries and keys, N and M their tokens, H heads, D width, d = D / H; the
 * weights of a sequence and head are [n_q, n_k], those of all sequences and heads lie end to end.
 */
import * as tf from '@tensorflow/tfjs';
import { customOp } from '../custom-op.js';
import { type MaskOfWeights, maskTensor } from '../dropout.js';
import { hasFused, runFused } from '../fused.js';
import { plainAttention, plainAttentionGradient } from './plain-sequence-attention.js';
import type { SequenceAttention } from './attention-options.js';

/** @param q [N, D] @param k [M, D] @param v [M, D] @returns [N, D] */
export function sequenceAttention(
  q: tf.Tensor2D,
  k: tf.Tensor2D,
  v: tf.Tensor2D,
  options: SequenceAttention,
): tf.Tensor2D {
  const { bias, dropout } = options;
  const fused = hasFused('SidlabSequenceAttention');
  const [forward, backward] = fused ? [fusedForward, fusedBackward] : [plainAttention, plainAttentionGradient];
  return customOp<tf.Rank.R2>(
    bias ? [q, k, v, bias] : [q, k, v],
    (q, k, v, bias) => forward([q!, k!, v!], bias, dropout && { ...dropout, size: weightsOf(options) }, options),
    (dy, inputs, saved) => backward(dy, inputs.slice(0, 3), inputs[3], saved, options),
  );
}

/** Weights of all sequences and heads. */
function weightsOf({ queries, keys, heads }: SequenceAttention): number {
  return queries.lengths.reduce((sum, n, b) => sum + n * keys.lengths[b]! * heads, 0);
}

function fusedForward(
  inputs: readonly tf.Tensor[],
  bias: tf.Tensor | undefined,
  dropout: MaskOfWeights | undefined,
  options: SequenceAttention,
): { value: tf.Tensor; saved: tf.Tensor[] } {
  const masks = dropout ? maskTensor(dropout.random, [dropout.size], dropout.rate) : tf.tensor1d([]);
  const rest = numbersOf(bias, options);
  const [value, ...saved] = runFused('SidlabSequenceAttention', [...inputs, ...rest, masks]);
  return { value: value!, saved: [...saved, masks] };
}

function fusedBackward(
  dy: tf.Tensor,
  inputs: readonly tf.Tensor[],
  bias: tf.Tensor | undefined,
  saved: readonly tf.Tensor[],
  options: SequenceAttention,
): tf.Tensor[] {
  const [weights, slopes, masks] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
  const rest = numbersOf(bias, options);
  const all = runFused('SidlabSequenceAttentionGrad', [dy, ...inputs, weights, slopes, ...rest, masks]);
  return bias ? [...all.slice(0, 3), tf.reshape(all[3]!, bias.shape)] : all.slice(0, 3);
}

/** Starts, options, numbers and bias, as the operation reads them. */
function numbersOf(bias: tf.Tensor | undefined, options: SequenceAttention): tf.Tensor[] {
  const { queries, keys, heads, scale, causal, weighting, divisor = 1 } = options;
  const [, ofHeads, rows, columns] = bias?.shape ?? [0, 0, 0, 0];
  return [
    queries.starts,
    keys.starts,
    tf.tensor1d([heads, Number(causal), Number(weighting === 'softmax'), ofHeads!, rows!, columns!], 'int32'),
    tf.tensor1d([scale, divisor]),
    bias ? tf.reshape(bias, [-1]) : tf.tensor1d([]),
  ];
}
