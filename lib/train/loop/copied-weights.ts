/** Weights beside those that are trained, which a run keeps: copies, and how a checkpoint and a cluster have them. */
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { writeSafetensors } from '../../files/safetensors.js';
import { toArrays, type Weights } from '../../lm/weights.js';
import { restoreWeights } from './checkpoint.js';
import type { TaskState } from './task.js';

/** Variables with the same values, which stay where the given ones move. Free them. */
export function copyWeights(weights: Weights): Weights {
  return new Map([...weights].map(([name, weight]) => [name, tf.tidy(() => tf.variable(tf.mul(weight, 1), false))]));
}

/** @param file name of their file in a checkpoint */
export function weightsState(own: Weights, file: string): TaskState {
  return {
    save: (folder) => writeSafetensors(join(folder, file), toArrays(own)),
    restore: (folder) => restoreWeights(join(folder, file), own),
    share: (cluster) => Promise.resolve(cluster.copyFirst(own.values())),
  };
}
