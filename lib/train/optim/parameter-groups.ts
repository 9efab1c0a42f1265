/**
 * Parameters that are updated together, and their state.
 *
 * Small parameters under AdamW are updated as one long vector: a kernel call costs what it costs, and a small model has
 * dozens of them. Weight decay acts on matrices alone, not on norms and biases.
 */
import * as tf from '@tensorflow/tfjs';
import type { Weights } from '../../lm/weights.js';
import { adamw, type AdamWOptions, type Moments } from '../../ops/adamw.js';
import { muon, type MuonOptions } from '../../ops/muon.js';

/** Weights that are updated together. */
export interface UpdateGroup {
  /** The group's gradient as one tensor, the caller's; a missing one counts as zero. */
  gradient(of: (name: string) => tf.Tensor | undefined): tf.Tensor;
  /** One update from that gradient. @param step counted from 1 @param scale of the gradient */
  update(gradient: tf.Tensor, step: number, rate: number, scale: number): void;
  /** What a checkpoint holds, by name. */
  readonly state: ReadonlyMap<string, tf.Variable>;
  /** Frees its state. */
  dispose(): void;
}

/** Weights that AdamW updates together. */
export class AdamWGroup implements UpdateGroup {
  readonly state: ReadonlyMap<string, tf.Variable>;
  private readonly sizes: number[];
  private readonly moments: Moments;
  /** 1 where weight decay acts, [1] for a parameter by itself. */
  private readonly decays: tf.Tensor1D;

  constructor(
    private readonly names: readonly string[],
    private readonly weights: Weights,
    private readonly options: AdamWOptions,
  ) {
    this.sizes = names.map((name) => weights.get(name)!.size);
    const decay = names.map((name) => (weights.get(name)!.rank > 1 ? 1 : 0));
    this.decays = tf.tensor1d(
      names.length === 1 ? decay : join(this.sizes.map((size, i) => new Float32Array(size).fill(decay[i]!))),
    );
    const size = this.sizes.reduce((sum, n) => sum + n, 0);
    this.moments = { m: zeros([size]), v: zeros([size]) };
    this.state = new Map([
      [`${names[0]}.m`, this.moments.m],
      [`${names[0]}.v`, this.moments.v],
    ]);
  }

  gradient(of: (name: string) => tf.Tensor | undefined): tf.Tensor1D {
    return this.flatten(of);
  }

  update(gradient: tf.Tensor, step: number, rate: number, scale: number): void {
    tf.tidy(() => {
      const parameter = this.flatten((name) => this.weights.get(name));
      const options = { ...this.options, gradientScale: scale };
      const next = adamw(parameter, gradient, this.moments, step, rate, options, this.decays);
      const parts = this.sizes.length === 1 ? [next] : tf.split(next, this.sizes);
      this.names.forEach((name, i) => {
        const weight = this.weights.get(name)!;
        weight.assign(tf.reshape(parts[i]!, weight.shape));
      });
    });
  }

  dispose(): void {
    tf.dispose([this.moments.m, this.moments.v, this.decays]);
  }

  /** The tensors end to end. */
  private flatten(of: (name: string) => tf.Tensor | undefined): tf.Tensor1D {
    return tf.tidy(() => {
      const parts = this.names.map((name, i) => {
        const tensor = of(name);
        return tensor ? tf.reshape<tf.Rank.R1>(tensor, [this.sizes[i]!]) : tf.zeros<tf.Rank.R1>([this.sizes[i]!]);
      });
      return parts.length === 1 ? parts[0]! : tf.concat(parts);
    });
  }
}

/** One matrix under Muon. */
export class MuonGroup implements UpdateGroup {
  readonly state: ReadonlyMap<string, tf.Variable>;
  private readonly momentum: tf.Variable;

  constructor(
    private readonly name: string,
    private readonly weight: tf.Variable,
    private readonly options: MuonOptions,
  ) {
    this.momentum = zeros(weight.shape);
    this.state = new Map([[`${name}.momentum`, this.momentum]]);
  }

  gradient(of: (name: string) => tf.Tensor | undefined): tf.Tensor {
    return of(this.name)?.clone() ?? tf.zeros(this.weight.shape);
  }

  update(gradient: tf.Tensor, _: number, rate: number, scale: number): void {
    tf.tidy(() => {
      const [weight, of] = [this.weight as unknown as tf.Tensor2D, tf.mul<tf.Tensor2D>(gradient, scale)];
      this.weight.assign(muon(weight, of, this.momentum, rate, this.options));
    });
  }

  dispose(): void {
    this.momentum.dispose();
  }
}

function zeros(shape: number[]): tf.Variable {
  return tf.tidy(() => tf.variable(tf.fill(shape, 0))); // made by the engine, not in JavaScript
}

function join(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
