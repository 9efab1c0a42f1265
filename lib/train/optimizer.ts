/**
 * AdamW over a model's parameters, with clipping by the global norm (Pascanu et al., arXiv 1211.5063).
 *
 * Small parameters are updated as one long vector: a kernel call costs what it costs, and a small model has dozens of
 * them. Weight decay acts on matrices alone, not on norms and biases.
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

/** Numbers packed into one vector at most; a larger parameter is one by itself. */
const PACK = 1 << 20;

interface Chunk {
  names: string[];
  sizes: number[];
  moments: Moments;
  /** 1 where weight decay acts. */
  decays: tf.Tensor1D;
}

export class Optimizer {
  private readonly chunks: Chunk[];

  constructor(
    private readonly weights: Weights,
    private readonly options: OptimizerOptions = {},
  ) {
    this.chunks = pack(weights).map((names) => newChunk(names, weights));
  }

  /**
   * One update. @param gradients by the weights' names; a missing one counts as zero @param step counted from 1
   * @returns the gradients' norm before clipping; where it is not finite nothing was changed
   */
  apply(gradients: ReadonlyMap<string, tf.Tensor>, step: number, rate: number): number {
    const { clip = 1, ...adam } = this.options;
    const flat = this.chunks.map((chunk) => this.flatten(chunk, (name) => gradients.get(name)));
    const norm = globalNorm(flat);
    if (Number.isFinite(norm)) {
      const scale = clip > 0 && norm > clip ? clip / norm : 1;
      this.chunks.forEach((chunk, c) => this.update(chunk, flat[c]!, scale, step, rate, adam));
    }
    tf.dispose(flat);
    return norm;
  }

  private update(chunk: Chunk, flat: tf.Tensor1D, scale: number, step: number, rate: number, adam: AdamWOptions): void {
    tf.tidy(() => {
      const gradient = scale === 1 ? flat : tf.mul(flat, scale);
      const parameter = this.flatten(chunk, (name) => this.weights.get(name));
      const next = adamw(parameter, gradient, chunk.moments, step, rate, adam, chunk.decays);
      const parts = chunk.sizes.length === 1 ? [next] : tf.split(next, chunk.sizes);
      chunk.names.forEach((name, i) => {
        const weight = this.weights.get(name)!;
        weight.assign(tf.reshape(parts[i]!, weight.shape));
      });
    });
  }

  /** A chunk's tensors end to end. */
  private flatten({ names, sizes }: Chunk, of: (name: string) => tf.Tensor | undefined): tf.Tensor1D {
    return tf.tidy(() => {
      const parts = names.map((name, i) => {
        const tensor = of(name);
        return tensor ? tf.reshape<tf.Rank.R1>(tensor, [sizes[i]!]) : tf.zeros<tf.Rank.R1>([sizes[i]!]);
      });
      return parts.length === 1 ? parts[0]! : tf.concat(parts);
    });
  }

  /** Moments by the names of their parameters. */
  save(): Map<string, NamedArray> {
    return toArrays(
      new Map(
        this.chunks.flatMap(({ moments: { m, v }, names }) => [
          [`${names[0]}.m`, m] as const,
          [`${names[0]}.v`, v] as const,
        ]),
      ),
    );
  }

  restore(arrays: ReadonlyMap<string, NamedArray>): void {
    for (const { moments, names } of this.chunks) {
      for (const key of ['m', 'v'] as const) {
        const array = arrays.get(`${names[0]}.${key}`);
        if (array?.data.length !== moments[key].size)
          throw new Error(`optimizer: ${names[0]}.${key} is not of this model`);
        tf.tidy(() => moments[key].assign(tf.tensor1d(array.data)));
      }
    }
  }

  dispose(): void {
    for (const { moments, decays } of this.chunks) tf.dispose([moments.m, moments.v, decays]);
  }
}

/** Names of the parameters, in order, in runs of at most `PACK` numbers. */
function pack(weights: Weights): string[][] {
  const chunks: string[][] = [];
  let used = Infinity;
  for (const [name, weight] of weights) {
    if (used + weight.size > PACK) {
      chunks.push([]);
      used = 0;
    }
    chunks[chunks.length - 1]!.push(name);
    used += weight.size;
  }
  return chunks;
}

function newChunk(names: string[], weights: Weights): Chunk {
  const sizes = names.map((name) => weights.get(name)!.size);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const decays = new Float32Array(total);
  let at = 0;
  names.forEach((name, i) => {
    if (weights.get(name)!.rank > 1) decays.fill(1, at, at + sizes[i]!);
    at += sizes[i]!;
  });
  const zeros = (): tf.Variable => tf.tidy(() => tf.variable(tf.zeros([total])));
  return { names, sizes, moments: { m: zeros(), v: zeros() }, decays: tf.tensor1d(decays) };
}

function globalNorm(tensors: tf.Tensor[]): number {
  const squares = tf.tidy(() => tf.addN(tensors.map((tensor) => tf.sum(tf.square(tensor)))));
  const norm = Math.sqrt(squares.dataSync()[0]!);
  squares.dispose();
  return norm;
}
