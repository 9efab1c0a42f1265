/**
 * The optimizer's state split between processes (ZeRO, Rajbhandari et al., arXiv 1910.02054, stage 1): each keeps the
 * moments of some parameters and makes their updates, then sends the new weights to the others. The updates are those of
 * a state that every process has whole, bit for bit.
 *
 * Departures:
 *   1. gradients are summed whole in every process, as without it: the norm is that of all, and Muon needs whole matrices;
 *   2. the smallest unit is a parameter (or a vector of small ones), so a model whose embedding is most of it is not
 *      split evenly between many processes.
 */
import * as tf from '@tensorflow/tfjs';
import type { Share } from '../../cluster/alone.js';
import type { LazyArray } from '../../files/safetensors.js';
import type { UpdateGroup } from './parameter-groups.js';
import { smallest } from '../../support/extremes.js';
import { valuesOf } from '../../support/values-of.js';

/** What a split needs of the processes; a `Cluster` is one. */
export interface Sharding extends Share {
  /** A tensor of process `root` in all; the caller's. @param own the tensor, in `root` */
  broadcast(shape: readonly number[], root: number, own?: tf.Tensor): tf.Tensor;
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** Whose each group's state is: the largest first, to whoever has least. */
export function dealState(groups: readonly Pick<UpdateGroup, 'shapes'>[], processes: number): number[] {
  const sizes = groups.map(({ shapes }) => [...shapes.values()].reduce((sum, shape) => sum + sizeOf(shape), 0));
  const order = sizes.map((_, g) => g).sort((a, b) => sizes[b]! - sizes[a]!);
  const held = new Array<number>(processes).fill(0);
  const owners: number[] = [];
  for (const g of order) {
    const least = held.indexOf(smallest(held));
    owners[g] = least;
    held[least]! += sizes[g]!;
  }
  return owners;
}

/** After an update: every group's weights as its owner has them. */
export function sendWeights(groups: readonly UpdateGroup[], owners: readonly number[], sharding: Sharding): void {
  groups.forEach(({ variables }, g) => {
    const root = owners[g]!;
    const sizes = variables.map(({ size }) => size);
    tf.tidy(() => {
      const flat = (): tf.Tensor => tf.concat(variables.map((weight) => tf.reshape(weight, [-1])));
      const whole = sharding.broadcast(
        [sizes.reduce((a, b) => a + b)],
        root,
        sharding.rank === root ? flat() : undefined,
      );
      if (sharding.rank === root) return;
      const parts = sizes.length === 1 ? [whole] : tf.split(whole as tf.Tensor1D, sizes);
      variables.forEach((weight, i) => weight.assign(tf.reshape(parts[i]!, weight.shape)));
    });
  });
}

interface Entry {
  name: string;
  shape: readonly number[];
  owner: number;
  /** In its owner. */
  variable: tf.Variable | undefined;
}

/** The state of all processes as one file's. Its methods are called by all of them, in the same order. */
export class SharedState {
  private readonly entries: readonly Entry[];
  /** Of `save`: those that were not sent yet. */
  private waiting: readonly Entry[] = [];

  constructor(
    groups: readonly UpdateGroup[],
    owners: readonly number[],
    private readonly sharding: Sharding,
  ) {
    this.entries = groups.flatMap(({ shapes, state }, g) =>
      [...shapes].map(([name, shape]) => ({ name, shape, owner: owners[g]!, variable: state.get(name) })),
    );
  }

  /**
   * Lets one process write the state while the others send what they have, a tensor at a time.
   * @param write in the process that writes; it reads the arrays in their order. If it throws, the others are still heard
   *   out, so that nobody waits
   */
  save(write: ((arrays: Map<string, LazyArray>) => void) | undefined): void {
    this.waiting = this.entries;
    const read = (): Float32Array => valuesOf(() => this.next());
    const arrays = this.entries.map(({ name, shape }): [string, LazyArray] => [name, { shape: [...shape], read }]);
    try {
      write?.(new Map(arrays));
    } finally {
      while (this.waiting.length > 0) this.next().dispose();
    }
  }

  private next(): tf.Tensor {
    const [{ shape, owner, variable }, ...others] = this.waiting as [Entry, ...Entry[]];
    this.waiting = others;
    return this.sharding.broadcast(shape, owner, variable);
  }

  /** Process 0's state, each part in its owner. @param read a tensor by its name, in process 0 */
  restore(read: ((name: string) => tf.Tensor | undefined) | undefined): void {
    for (const { name, shape, variable } of this.entries) {
      tf.tidy(() => {
        const own = read?.(name);
        const tensor = this.sharding.broadcast(shape, 0, own && tf.reshape(own, [...shape]));
        variable?.assign(tensor);
      });
    }
  }
}
