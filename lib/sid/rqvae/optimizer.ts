/**
 * AdamW with clipping by the global norm (PyTorch's formulas), for a step that never waits for the engine: the norm
 * stays a tensor, and the moments are kept as `m / (1 - beta1)` and `v / (1 - beta2)`, which saves two passes over
 * every parameter. At these sizes the passes over memory are what an optimizer costs.
 */
import * as tf from '@tensorflow/tfjs';
import type { NamedArray } from '../../files/safetensors.js';

/** Options of an update. */
export interface StepOptions {
  /** Learning rate. */
  rate: number;
  /** Gradients are scaled down to this global norm; 0 leaves them. */
  maxGradNorm: number;
  /** On every parameter, as in PyTorch. */
  weightDecay: number;
}

const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8];

/** AdamW with PyTorch's conventions. */
export class AdamW {
  private readonly m = new Map<string, tf.Variable>();
  private readonly v = new Map<string, tf.Variable>();
  /** Updates of each parameter so far: those that begin later have their own count, as in PyTorch. */
  private readonly counts = new Map<string, number>();

  constructor(private readonly parameters: ReadonlyMap<string, tf.Variable>) {
    for (const [name, parameter] of parameters) {
      this.m.set(
        name,
        tf.tidy(() => tf.variable(tf.zerosLike(parameter))),
      );
      this.v.set(
        name,
        tf.tidy(() => tf.variable(tf.zerosLike(parameter))),
      );
    }
  }

  /** One update in place of the parameters that have a gradient. @param gradients by the parameters' names */
  apply(gradients: ReadonlyMap<string, tf.Tensor>, { rate, maxGradNorm, weightDecay }: StepOptions): void {
    const scale = maxGradNorm > 0 ? clipScale([...gradients.values()], maxGradNorm) : undefined;
    for (const [name, gradient] of gradients) {
      const step = (this.counts.get(name) ?? 0) + 1;
      this.counts.set(name, step);
      const spread = Math.sqrt((1 - BETA2) / (1 - BETA2 ** step)); // of v as kept
      const move = (rate * (1 - BETA1)) / (1 - BETA1 ** step);
      const parameter = this.parameters.get(name)!;
      const [m, v] = [this.m.get(name)!, this.v.get(name)!];
      tf.tidy(() => {
        const g = scale ? tf.mul(gradient, scale) : gradient;
        m.assign(tf.add(tf.mul(m, BETA1), g));
        v.assign(tf.add(tf.mul(v, BETA2), tf.square(g)));
        if (move === 0) return; // the end of a schedule: the divisor below would be infinite
        const divisor = tf.add(tf.mul(tf.sqrt(v), spread / move), EPSILON / move);
        const kept = weightDecay > 0 ? tf.mul(parameter, 1 - rate * weightDecay) : parameter;
        parameter.assign(tf.sub(kept, tf.div(m, divisor)));
      });
    }
    scale?.dispose();
  }

  save(): Map<string, NamedArray> {
    const arrays = new Map<string, NamedArray>();
    for (const [name, shape, data] of this.named()) arrays.set(name, { shape, data: data.dataSync<'float32'>() });
    for (const [name, count] of this.counts) {
      arrays.set(`${name}.updates`, { shape: [1], data: Float32Array.of(count) });
    }
    return arrays;
  }

  /** @param arrays what `save` gave */
  restore(arrays: ReadonlyMap<string, NamedArray>): void {
    for (const [name, shape, variable] of this.named()) {
      const array = arrays.get(name);
      if (!array) throw new Error(`AdamW.restore: expected ${name} in the checkpoint, got none; remove the checkpoint`);
      tf.tidy(() => variable.assign(tf.tensor(array.data, shape)));
    }
    for (const name of this.parameters.keys()) this.counts.set(name, arrays.get(`${name}.updates`)?.data[0] ?? 0);
  }

  dispose(): void {
    for (const [, , variable] of this.named()) variable.dispose();
  }

  private *named(): Generator<[name: string, shape: number[], tf.Variable]> {
    for (const name of this.parameters.keys()) {
      for (const [moment, variables] of [['m', this.m] as const, ['v', this.v] as const]) {
        const variable = variables.get(name)!;
        yield [`${name}.${moment}`, variable.shape, variable];
      }
    }
  }
}

/** `min(1, maxGradNorm / (norm + 1e-6))` */
function clipScale(gradients: tf.Tensor[], maxGradNorm: number): tf.Tensor {
  return tf.tidy(() => {
    const squares = tf.addN(gradients.map((gradient) => tf.sum(tf.square(gradient))));
    return tf.minimum(1, tf.div(maxGradNorm, tf.add(tf.sqrt(squares), 1e-6)));
  });
}
