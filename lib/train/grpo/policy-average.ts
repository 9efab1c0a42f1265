/**
 * The moving average of the policy's weights: average = d average + (1 - d) policy after every update, from the start on. It
 * is what is validated and kept; the policy itself is what rolls out and is trained. The noise of single updates averages
 * out, and what it has in common with its start stays. (Polyak & Juditsky 1992; of policies WARP, Ramé et al., arXiv
 * 2406.16768.)
 */
import * as tf from '@tensorflow/tfjs';
import { type LanguageModel, trainableWeights } from '../../lm/language-model.js';
import { disposeWeights } from '../../lm/weights.js';
import type { TaskState } from '../loop/task.js';
import { copyWeights, weightsState } from './copied-weights.js';

/** The average, and its use in the policy's place. */
export interface PolicyAverage {
  /** To be called after every update. */
  updated(): void;
  /** Some work with the average in the policy's place; the policy is put back whatever happens. */
  during<T>(work: () => T | Promise<T>): Promise<T>;
  /** The same of work that does not wait. */
  duringNow<T>(work: () => T): T;
  state: TaskState;
  /** Frees its weights. */
  dispose(): void;
}

/** @param decay share of the average that stays at an update, in (0, 1) */
export function policyAverage(policy: LanguageModel, decay: number): PolicyAverage {
  const trained = trainableWeights(policy);
  const own = copyWeights(trained);
  const swap = (): void => {
    for (const [name, weight] of trained) {
      const average = own.get(name)!;
      tf.tidy(() => {
        const kept = tf.clone(weight); // nothing is copied: the two change buffers
        weight.assign(average);
        average.assign(kept);
      });
    }
  };
  return {
    updated() {
      for (const [name, weight] of trained) {
        const average = own.get(name)!;
        tf.tidy(() => average.assign(tf.add(tf.mul(average, decay), tf.mul(weight, 1 - decay))));
      }
    },
    async during(work) {
      swap();
      try {
        return await work();
      } finally {
        swap();
      }
    },
    duringNow(work) {
      swap();
      try {
        return work();
      } finally {
        swap();
      }
    },
    state: weightsState(own, 'average.safetensors'),
    dispose: () => disposeWeights(own),
  };
}
