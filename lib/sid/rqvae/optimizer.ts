/**
 * Updates of an RQ-VAE's parameters by one of the rules of `update-rules.ts`, with clipping by the global norm (PyTorch's
 * formulas), for a step that never waits for the engine: the norm stays a tensor.
 */
import * as tf from '@tensorflow/tfjs';
import type { NamedArray } from '../../files/safetensors.js';
import type { OptimizerName } from '../choices.js';
import { UPDATE_RULES, type UpdateRule } from './update-rules.js';

/** Options of an update. */
export interface StepOptions {
  /** Learning rate. */
  rate: number;
  /** Gradients are scaled down to this global norm; 0 leaves them. */
  maxGradNorm: number;
  /** On every parameter, as in PyTorch. */
  weightDecay: number;
}

/** An optimizer with PyTorch's conventions. */
export class Optimizer {
  private readonly rule: UpdateRule;
  private readonly kept = new Map<string, Record<string, tf.Variable>>();
  /** Updates of each parameter so far: those that begin later have their own count, as in PyTorch. */
  private readonly counts = new Map<string, number>();

  constructor(
    private readonly parameters: ReadonlyMap<string, tf.Variable>,
    private readonly name: OptimizerName = 'adamw',
  ) {
    this.rule = UPDATE_RULES[name];
    for (const [of, parameter] of parameters) {
      const zeros = (): tf.Variable => tf.tidy(() => tf.variable(tf.zerosLike(parameter)));
      this.kept.set(of, Object.fromEntries(this.rule.keeps.map((what) => [what, zeros()])));
    }
  }

  /** One update in place of the parameters that have a gradient. @param gradients by the parameters' names */
  apply(gradients: ReadonlyMap<string, tf.Tensor>, { rate, maxGradNorm, weightDecay }: StepOptions): void {
    const scale = maxGradNorm > 0 ? clipScale([...gradients.values()], maxGradNorm) : undefined;
    for (const [name, given] of gradients) {
      const step = (this.counts.get(name) ?? 0) + 1;
      this.counts.set(name, step);
      const [parameter, kept] = [this.parameters.get(name)!, this.kept.get(name)!];
      tf.tidy(() => {
        const gradient = scale ? tf.mul(given, scale) : given;
        this.rule.update({ parameter, gradient, kept, step, rate, weightDecay });
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
      if (!array) {
        throw new Error(`${this.name}: expected ${name} in the checkpoint, got none; remove the checkpoint`);
      }
      tf.tidy(() => variable.assign(tf.tensor(array.data, shape)));
    }
    for (const name of this.parameters.keys()) this.counts.set(name, arrays.get(`${name}.updates`)?.data[0] ?? 0);
  }

  /** What is kept of the parameters. */
  get variables(): tf.Variable[] {
    return [...this.named()].map(([, , variable]) => variable);
  }

  /** Updates of each parameter so far, by its name. */
  get updates(): Record<string, number> {
    return Object.fromEntries(this.counts);
  }

  set updates(counts: Readonly<Record<string, number>>) {
    for (const [name, count] of Object.entries(counts)) this.counts.set(name, count);
  }

  dispose(): void {
    tf.dispose(this.variables);
  }

  private *named(): Generator<[name: string, shape: number[], tf.Variable]> {
    for (const [name, kept] of this.kept) {
      for (const [what, variable] of Object.entries(kept)) yield [`${name}.${what}`, variable.shape, variable];
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
