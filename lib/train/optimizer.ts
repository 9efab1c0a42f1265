/**
 * AdamW over a model's parameters, with clipping by the global norm (Pascanu et al., arXiv 1211.5063).
 */
import * as tf from '@tensorflow/tfjs';
import type { Weights } from '../lm/index.js';
import { toArrays } from '../lm/index.js';
import { adamw } from '../ops/index.js';
import type { AdamWOptions, Moments } from '../ops/index.js';
import type { NamedArray } from '../support/index.js';

export interface OptimizerOptions extends AdamWOptions {
  /** Gradients are scaled down to this norm; 0 leaves them. Default 1. */
  clip?: number;
}

export class Optimizer {
  private readonly moments = new Map<string, Moments>();

  constructor(
    private readonly weights: Weights,
    private readonly options: OptimizerOptions = {},
  ) {
    for (const [name, weight] of weights) {
      this.moments.set(name, { m: tf.variable(tf.zerosLike(weight)), v: tf.variable(tf.zerosLike(weight)) });
    }
  }

  /**
   * One update. @param gradients by the weights' names @param step counted from 1
   * @returns the gradients' norm before clipping
   */
  apply(gradients: ReadonlyMap<string, tf.Tensor>, step: number, rate: number): number {
    const { clip = 1, ...adam } = this.options;
    const norm = globalNorm([...gradients.values()]);
    if (!Number.isFinite(norm)) return norm; // the caller stops; nothing was changed
    const scale = clip > 0 && norm > clip ? clip / norm : 1;
    for (const [name, gradient] of gradients) {
      adamw(this.weights.get(name)!, gradient, this.moments.get(name)!, step, rate, scale, adam);
    }
    return norm;
  }

  save(): Map<string, NamedArray> {
    const tensors = [...this.moments].flatMap(([name, { m, v }]) => [
      [`${name}.m`, m] as const,
      [`${name}.v`, v] as const,
    ]);
    return toArrays(new Map(tensors));
  }

  restore(arrays: ReadonlyMap<string, NamedArray>): void {
    for (const [name, { m, v }] of this.moments) {
      for (const [key, variable] of [[`${name}.m`, m] as const, [`${name}.v`, v] as const]) {
        const array = arrays.get(key);
        if (!array) throw new Error(`optimizer: ${key} is missing from the checkpoint`);
        tf.tidy(() => variable.assign(tf.tensor(array.data, array.shape)));
      }
    }
  }

  dispose(): void {
    for (const { m, v } of this.moments.values()) tf.dispose([m, v]);
  }
}

function globalNorm(tensors: tf.Tensor[]): number {
  return tf.tidy(() => Math.sqrt(tf.addN(tensors.map((tensor) => tf.sum(tf.square(tensor)))).dataSync()[0]!));
}
