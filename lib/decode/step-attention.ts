/** Attention of the nodes that a step grows: what the plain and the fused implementation have in common. */
import type * as tf from '@tensorflow/tfjs';
import type { LayerNodes } from './prefill.js';

/** Attention of one layer: from the new nodes' queries [n, H, d] and all grown nodes' keys and values to [n, H * d]. */
export type StepAttention = (layer: number, q: tf.Tensor3D, grown: LayerNodes) => tf.Tensor2D;

/** Holds the prompts' keys and values, and plans steps. */
export interface StepAttentions {
  /**
   * Attention of the nodes from `first` on; within `tf.tidy`.
   * @param parent of every node @param grown the first node that is not a prompt's
   */
  plan(parent: readonly number[], first: number, grown: number): StepAttention;
  /** Frees the prompts' keys and values. */
  dispose(): void;
}
