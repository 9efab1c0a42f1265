/**
 * The moving average of the weights that are trained: average = d average + (1 - d) weights after every update, from the
 * start on. It is what is validated and kept; the weights themselves go on being trained. The noise of single updates
 * averages out, and of a run that begins at a trained model what it has in common with its start stays. (Polyak & Juditsky
 * 1992; of policies WARP, Ramé et al., arXiv 2406.16768.)
 */
import * as tf from '@tensorflow/tfjs';
import type { Cluster } from '../../cluster/cluster.js';
import { type TrainableModel, trainableWeights } from '../../lm/language-model.js';
import { disposeWeights } from '../../lm/weights.js';
import { copyWeights, weightsState } from './copied-weights.js';
import type { Task, TaskState } from './task.js';

/** The average, and its use in the weights' place. */
export interface WeightsAverage {
  /** To be called after every update. */
  updated(): void;
  /** Some work with the average in the weights' place; they are put back whatever happens. */
  during<T>(work: () => T | Promise<T>): Promise<T>;
  /** The same of work that does not wait. */
  duringNow<T>(work: () => T): T;
  state: TaskState;
  /** Frees its weights. */
  dispose(): void;
}

/** @param decay share of the average that stays at an update, in (0, 1) */
export function weightsAverage(model: TrainableModel, decay: number): WeightsAverage {
  const trained = trainableWeights(model);
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

/** The same task, whose average moves with every update, is validated, and goes through checkpoints. */
export function averaged<Batch>(task: Task<Batch>, average: WeightsAverage): Task<Batch> {
  const { state } = task;
  return {
    name: task.name,
    batches: (epoch) => task.batches(epoch),
    objective: (...given) => task.objective(...given),
    updated(step) {
      task.updated?.(step);
      average.updated();
    },
    state: {
      save(folder) {
        state?.save(folder);
        average.state.save(folder);
      },
      restore(folder) {
        state?.restore(folder);
        average.state.restore(folder);
      },
      async share(cluster: Cluster) {
        await state?.share?.(cluster);
        await average.state.share?.(cluster);
      },
    },
    validate: (cluster) => average.during(() => task.validate(cluster)),
    ...(task.validRows && { validRows: () => task.validRows!() }),
  };
}
