/**
 * What both implementations of attention between sequences are told.
 *
 * Shapes: Tq and Tk the longest of queries and keys, H heads, d head width.
 */
import type * as tf from '@tensorflow/tfjs';
import type { Random } from '../../support/random.js';
import type { Sequences } from './padded-rows.js';

/** How queries attend to keys. */
export interface SequenceAttention {
  /** The sequences of the queries. */
  queries: Sequences;
  /** The sequences of the keys: those of sequence b are seen by the queries of sequence b. */
  keys: Sequences;
  /** H */
  heads: number;
  /** What scores are multiplied with, such as 1 / sqrt(d). */
  scale: number;
  /** Whether a query sees only the keys at its own place and before; sequences are of the same length then. */
  causal: boolean;
  /** `softmax`, or `silu`: silu(score) / divisor, which does not sum up to 1 (HSTU). */
  weighting: 'softmax' | 'silu';
  /** Of `silu`: the same for every batch, or a row's values would depend on the rows beside it. Default 1. */
  divisor?: number;
  /** Added to the scores, trained: [1, H, Tq, Tk], or [1, 1, Tq, Tk] for all heads. Default none. */
  bias?: tf.Tensor4D | undefined;
  /** Weights are set to zero at this rate, the others grow. Default none. */
  dropout?: { random: Random; rate: number } | undefined;
}
