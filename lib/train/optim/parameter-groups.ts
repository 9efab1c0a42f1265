/**
 * Parameters that are updated together, and their state.
 *
 * Small parameters under AdamW are updated as one long vector: a kernel call costs what it costs, and a small model has
 * dozens of them. Weight decay acts on matrices alone, not on norms and biases.
 */
import * as tf from '@tensorflow/tfjs';
import type { Weights } from '../../lm/weights.js';
import { adamw, type AdamWOptions, type Moments } from '../../ops/adamw.js';
import { fromBfloat16 } from '../../ops/bfloat16.js';
import { assignWithHalf } from '../../ops/half-copies.js';
import { muon, type MuonOptions } from '../../ops/muon.js';

/** Weights that are updated together. */
export interface UpdateGroup {
  /** The group's gradient as one tensor, the caller's; a missing one counts as zero. */
  gradient(of: (name: string) => tf.Tensor | undefined): tf.Tensor;
  /** One update from that gradient. @param step counted from 1 @param scale of the gradient */
  update(gradient: tf.Tensor, step: number, rate: number, scale: number): void;
  /** The weights, in order. */
  readonly variables: readonly tf.Variable[];
  /** What a checkpoint holds, by name: shapes, also of what another process keeps. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** What this process keeps of it, by name: all or nothing. */
  readonly state: ReadonlyMap<string, tf.Variable>;
  /** Frees its state. */
  dispose(): void;
}

/** Small weights that AdamW updates together. */
export class AdamWGroup implements UpdateGroup {
  readonly variables: readonly tf.Variable[];
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly state: ReadonlyMap<string, tf.Variable>;
  private readonly sizes: number[];
  /** What makes the updates; `decays` is 1 where weight decay acts. */
  private readonly kept: { moments: Moments; decays: tf.Tensor1D } | undefined;

  /** @param kept whether this process keeps the moments, and makes the updates */
  constructor(
    private readonly names: readonly string[],
    private readonly weights: Weights,
    private readonly options: AdamWOptions,
    kept = true,
  ) {
    this.variables = names.map((name) => weights.get(name)!);
    this.sizes = this.variables.map(({ size }) => size);
    const size = this.sizes.reduce((a, b) => a + b);
    this.shapes = momentShapes(names[0]!, [size]);
    if (kept) {
      const decays = join(this.variables.map((weight, i) => new Float32Array(this.sizes[i]!).fill(decayOf(weight))));
      this.kept = { moments: { m: zeros([size]), v: zeros([size]) }, decays: tf.tensor1d(decays) };
    }
    this.state = stateOf(names[0]!, this.kept?.moments);
  }

  gradient(of: (name: string) => tf.Tensor | undefined): tf.Tensor1D {
    return this.flatten(of);
  }

  update(gradient: tf.Tensor, step: number, rate: number, scale: number): void {
    if (!this.kept) return;
    const { moments, decays } = this.kept;
    tf.tidy(() => {
      const parameter = this.flatten((name) => this.weights.get(name));
      const options = { ...this.options, gradientScale: scale };
      const parts = tf.split(adamw(parameter, gradient, moments, step, rate, options, decays), this.sizes);
      this.names.forEach((name, i) => {
        const weight = this.weights.get(name)!;
        weight.assign(tf.reshape(parts[i]!, weight.shape));
      });
    });
  }

  dispose(): void {
    tf.dispose([...this.state.values()]);
    this.kept?.decays.dispose();
  }

  /** The tensors end to end. */
  private flatten(of: (name: string) => tf.Tensor | undefined): tf.Tensor1D {
    return tf.tidy(() =>
      tf.concat(
        this.names.map((name, i) => {
          const tensor = of(name);
          return tensor ? tf.reshape<tf.Rank.R1>(fromBfloat16(tensor), [-1]) : tf.zeros<tf.Rank.R1>([this.sizes[i]!]);
        }),
      ),
    );
  }
}

/** One weight that AdamW updates, where it lies, and its copy in bfloat16 with it. */
export class AdamWSingle implements UpdateGroup {
  readonly variables: readonly tf.Variable[];
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly state: ReadonlyMap<string, tf.Variable>;
  private readonly moments: Moments | undefined;
  private readonly decays: tf.Tensor1D;

  /** @param kept as of `AdamWGroup` */
  constructor(
    private readonly name: string,
    private readonly weight: tf.Variable,
    private readonly options: AdamWOptions,
    kept = true,
  ) {
    this.variables = [weight];
    this.shapes = momentShapes(name, weight.shape);
    if (kept) this.moments = { m: zeros(weight.shape), v: zeros(weight.shape) };
    this.decays = tf.tensor1d([decayOf(weight)]);
    this.state = stateOf(name, this.moments);
  }

  gradient(of: (name: string) => tf.Tensor | undefined): tf.Tensor {
    return of(this.name)?.clone() ?? tf.zeros(this.weight.shape);
  }

  update(gradient: tf.Tensor, step: number, rate: number, scale: number): void {
    const { moments } = this;
    if (!moments) return;
    const options = { ...this.options, gradientScale: scale };
    tf.tidy(() =>
      assignWithHalf(this.weight, (copy) =>
        adamw(this.weight, gradient, moments, step, rate, options, this.decays, copy),
      ),
    );
  }

  dispose(): void {
    tf.dispose([...this.state.values()]);
    this.decays.dispose();
  }
}

/** One matrix under Muon. */
export class MuonGroup implements UpdateGroup {
  readonly variables: readonly tf.Variable[];
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly state: ReadonlyMap<string, tf.Variable>;
  private readonly momentum: tf.Variable | undefined;

  /** @param kept as of `AdamWGroup` */
  constructor(
    private readonly name: string,
    private readonly weight: tf.Variable,
    private readonly options: MuonOptions,
    kept = true,
  ) {
    this.variables = [weight];
    this.shapes = new Map([[`${name}.momentum`, weight.shape]]);
    if (kept) this.momentum = zeros(weight.shape);
    this.state = new Map(this.momentum ? [[`${name}.momentum`, this.momentum]] : []);
  }

  gradient(of: (name: string) => tf.Tensor | undefined): tf.Tensor {
    const gradient = of(this.name);
    return gradient ? fromBfloat16(gradient) : tf.zeros(this.weight.shape);
  }

  update(gradient: tf.Tensor, _: number, rate: number, scale: number): void {
    const { momentum } = this;
    if (!momentum) return;
    tf.tidy(() => {
      const [weight, of] = [this.weight as unknown as tf.Tensor2D, tf.mul<tf.Tensor2D>(gradient, scale)];
      this.weight.assign(muon(weight, of, momentum, rate, this.options));
    });
  }

  dispose(): void {
    this.momentum?.dispose();
  }
}

/** 1 for a matrix, 0 for norms and biases. */
function decayOf({ rank }: tf.Tensor): number {
  return rank > 1 ? 1 : 0;
}

function stateOf(name: string, moments: Moments | undefined): ReadonlyMap<string, tf.Variable> {
  if (!moments) return new Map();
  return new Map([
    [`${name}.m`, moments.m],
    [`${name}.v`, moments.v],
  ]);
}

function momentShapes(name: string, shape: readonly number[]): ReadonlyMap<string, readonly number[]> {
  return new Map([
    [`${name}.m`, shape],
    [`${name}.v`, shape],
  ]);
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
