/**
 * The update of a model's parameters, with clipping by the global norm (Pascanu et al., arXiv 1211.5063): AdamW for all
 * of them, or Muon for the matrices of the layers and AdamW for the rest.
 */
import * as tf from '@tensorflow/tfjs';
import type { LazyArray } from '../../files/safetensors.js';
import { toArrays, type Weights } from '../../lm/weights.js';
import { type AdamWOptions, squareSum } from '../../ops/adamw.js';
import { fromBfloat16 } from '../../ops/bfloat16.js';
import { MUON_SCALES } from '../../ops/muon-scale.js';
import { type MuonOptions } from '../../ops/muon.js';
import { InputError } from '../../support/errors.js';
import { AdamWGroup, AdamWSingle, MuonGroup, type UpdateGroup } from './parameter-groups.js';
import { dealState, sendWeights, type Sharding, SharedState } from './sharding.js';
import { OPTIMIZERS, type OptimizerName } from '../choices.js';

/** Options of an `Optimizer`. */
export interface OptimizerOptions extends AdamWOptions, MuonOptions {
  /** `muon` takes the matrices of the layers, and AdamW the rest, both at the same rate. Default `adamw`. */
  optimizer?: OptimizerName;
  /** Gradients are scaled down to this norm; 0 leaves them. Default 1. */
  maxGradNorm?: number;
  /** Learning rates of weights by name, as multiples of the others'. Default 1. */
  rates?: Readonly<Record<string, number>>;
  /** Sums gradients over processes: given them as float32 tensors of its own, it returns the sums. Default none. */
  sumGradients?: ((gradients: readonly tf.Tensor[]) => tf.Tensor[]) | undefined;
  /** Processes between which the state is split, and the updates that need it. Default none. */
  sharding?: Sharding | undefined;
}

/** Numbers packed into one vector at most; a larger parameter is one by itself. */
const PACK = 1 << 20;

/** Updates the trainable weights of a model from their gradients. */
export class Optimizer {
  private readonly groups: UpdateGroup[];
  /** Learning rate of each group, as a multiple of the run's. */
  private readonly rates: readonly number[];
  private readonly maxGradNorm: number;
  private readonly sumGradients: OptimizerOptions['sumGradients'];
  /** Whose each group's state is; empty where it is not split. */
  private readonly owners: readonly number[];
  private readonly sharding: Sharding | undefined;

  /** @throws InputError for an optimizer or a scale that there is none of */
  constructor(weights: Weights, options: OptimizerOptions = {}) {
    const { optimizer = 'adamw', maxGradNorm = 1, muonScale = 'rms', rates = {} } = options;
    expectOne('optimizer', optimizer, OPTIMIZERS);
    expectOne('muon-scale', muonScale, MUON_SCALES);
    this.maxGradNorm = maxGradNorm;
    this.sumGradients = options.sumGradients;
    const orthogonalised =
      optimizer === 'muon' ? [...weights].filter(([name, weight]) => isLayerMatrix(name, weight)) : [];
    const rest = new Map([...weights].filter(([name]) => !orthogonalised.some(([other]) => other === name)));
    const packs = pack(rest, rates);
    this.rates = [...packs.map(([name]) => name!), ...orthogonalised.map(([name]) => name)].map((of) => rates[of] ?? 1);
    const make = [
      ...packs.map(
        (names) =>
          (kept?: boolean): UpdateGroup =>
            names.length === 1
              ? new AdamWSingle(names[0]!, weights.get(names[0]!)!, options, kept)
              : new AdamWGroup(names, weights, options, kept),
      ),
      ...orthogonalised.map(
        ([name, weight]) =>
          (kept?: boolean): UpdateGroup =>
            new MuonGroup(name, weight, options, kept),
      ),
    ];
    const { sharding } = options;
    this.sharding = sharding;
    this.owners = sharding
      ? dealState(
          make.map((group) => group(false)),
          sharding.size,
        )
      : [];
    this.groups = make.map((group, g) => group(!sharding || this.owners[g] === sharding.rank));
  }

  /**
   * One update. @param gradients by the weights' names; a missing one counts as zero. Where they are summed over processes
   *   they are given away, so that no more than a slice of them is there twice @param step counted from 1
   * @returns the gradients' norm before clipping; where it is not finite nothing was changed
   */
  apply(gradients: ReadonlyMap<string, tf.Tensor>, step: number, rate: number): number {
    const own = this.groups.map((group) => group.gradient((name) => gradients.get(name)));
    if (this.sumGradients) tf.dispose([...gradients.values()]);
    const all = this.summed(own);
    const norm = globalNorm(all);
    if (Number.isFinite(norm)) {
      const scale = this.maxGradNorm > 0 && norm > this.maxGradNorm ? this.maxGradNorm / norm : 1;
      this.groups.forEach((group, g) => group.update(all[g]!, step, rate * this.rates[g]!, scale));
      if (this.sharding) sendWeights(this.groups, this.owners, this.sharding);
    }
    tf.dispose(all);
    return norm;
  }

  private summed(own: tf.Tensor[]): tf.Tensor[] {
    if (!this.sumGradients) return own;
    const floats = own.map((gradient) => {
      const float = fromBfloat16(gradient); // a sum in bfloat16 would lose what each process's gradient still has
      gradient.dispose();
      return float;
    });
    return this.sumGradients(floats);
  }

  /** The state as one, where it is split between processes. */
  shared(): SharedState | undefined {
    return this.sharding && new SharedState(this.groups, this.owners, this.sharding);
  }

  /** All of its state that this process keeps. */
  get variables(): tf.Variable[] {
    return this.groups.flatMap(({ state }) => [...state.values()]);
  }

  /** Moments and momenta by the names of their parameters. */
  save(): Map<string, LazyArray> {
    return toArrays(new Map(this.groups.flatMap(({ state }) => [...state])));
  }

  /** @param read a tensor by its name, undefined if there is none; those of other processes' state are checked alone */
  restore(read: (name: string) => tf.Tensor | undefined): void {
    for (const { shapes, state } of this.groups) {
      for (const [name, shape] of shapes) {
        tf.tidy(() => {
          const tensor = read(name);
          const size = shape.reduce((product, n) => product * n, 1);
          if (tensor?.size !== size) throw new Error(`optimizer: ${name} is not of this model`);
          state.get(name)?.assign(tf.reshape(tensor, [...shape]));
        });
      }
    }
  }

  /** Frees its state. */
  dispose(): void {
    for (const group of this.groups) group.dispose();
  }
}

function expectOne(flag: string, value: string, names: readonly string[]): void {
  if (!names.includes(value)) throw new InputError(`--${flag}: expected one of ${names.join(', ')}, got ${value}`);
}

/** Embeddings and the output layer are matrices of no layer. */
function isLayerMatrix(name: string, { rank }: tf.Tensor): boolean {
  return rank === 2 && /\.layers\.\d+\./.test(name);
}

/** Names of the parameters, in order, in runs of one rate and at most `PACK` numbers. */
function pack(weights: Weights, rates: Readonly<Record<string, number>>): string[][] {
  const chunks: string[][] = [];
  let used = Infinity;
  let last: number | undefined;
  for (const [name, weight] of weights) {
    const rate = rates[name] ?? 1;
    if (used + weight.size > PACK || rate !== last) {
      chunks.push([]);
      used = 0;
    }
    chunks[chunks.length - 1]!.push(name);
    used += weight.size;
    last = rate;
  }
  return chunks;
}

function globalNorm(tensors: tf.Tensor[]): number {
  const squares = tf.tidy(() => tf.addN(tensors.map(squareSum)));
  const norm = Math.sqrt(squares.dataSync()[0]!);
  squares.dispose();
  return norm;
}
