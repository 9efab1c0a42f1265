/**
 * An RQ-VAE that several processes train: each takes some rows of every batch, of which losses and gradients are added
 * up, and some items of whatever is asked of all of them. All then have the same numbers, and decide alike.
 *
 * What is asked of a batch as a whole (statistics of batch normalisation, Sinkhorn's plan, the mean assignment) is no sum
 * over its rows, and is refused.
 *
 * Shapes: N items, B rows of a batch, E width of the latent, L levels.
 */
import * as tf from '@tensorflow/tfjs';
import { ownRange } from '../../cluster/alone.js';
import type { Cluster } from '../../cluster/cluster.js';
import type { Vectors } from '../../files/npy.js';
import { InputError } from '../../support/errors.js';
import type { RqVaePlan } from './options.js';
import type { RqVaeShape } from './parameters.js';
import type { ScaledRows } from './scaled-rows.js';
import { encode, evaluate, type Evaluation, type LossAndGradients } from './step.js';

type Variables = ReadonlyMap<string, tf.Tensor>;

/** @throws InputError for an option that several processes cannot follow */
export function checkDivides({ batchNorm, epsilons, balanceWeight }: RqVaePlan, { size }: Cluster): void {
  const whole = [
    ['--batch-norm', batchNorm],
    ['--sinkhorn-epsilon', epsilons.some((epsilon) => epsilon > 0)],
    ['--balance-weight', balanceWeight > 0],
  ] as const;
  const found = whole.find(([, asked]) => asked)?.[0];
  if (found === undefined) return;
  throw new InputError(
    `sid: expected one process with ${found}, which looks at a batch as a whole, got ${size}; start one, or leave it out`,
  );
}

/** Rows of a batch that are this process's, and how much they count in a mean over the batch. */
export interface OwnRows {
  items: readonly number[];
  /** 0 where a batch has fewer rows than there are processes: its first row then stands in. */
  weight: number;
}

/** @param batch numbers of items [B] */
export function ownRows(batch: readonly number[], cluster: Cluster | undefined): OwnRows {
  const items = batch.slice(...ownRange(cluster, batch.length));
  return items.length > 0 ? { items, weight: items.length / batch.length } : { items: batch.slice(0, 1), weight: 0 };
}

/** Losses and gradients of the whole batch from those of each process's rows, which are given away. */
export function ofWholeBatch(own: LossAndGradients, weight: number, cluster: Cluster): LossAndGradients {
  const given = [own.losses, ...own.gradients.values()];
  const weighed = given.map((tensor) => tf.mul(tensor, weight));
  tf.dispose(given);
  const [losses, ...gradients] = cluster.sum(weighed);
  const names = [...own.gradients.keys()];
  return {
    ...own,
    losses: losses as tf.Tensor1D,
    gradients: new Map(names.map((name, i) => [name, gradients[i]!])),
  };
}

/** Latents of all items [N, E], as `encode`'s. */
export function encodeAll(shape: RqVaeShape, parameters: Variables, rows: ScaledRows, cluster?: Cluster): Vectors {
  if (!cluster) return encode(shape, parameters, rows);
  const own = encode(shape, parameters, rows.slice(...ownRange(cluster, rows.count)));
  return { ...own, rows: rows.count, data: joined(cluster.floats(own.data)) };
}

/** Codes of all items and their error, as `evaluate`'s. */
export function evaluateAll(shape: RqVaeShape, parameters: Variables, rows: ScaledRows, cluster?: Cluster): Evaluation {
  if (!cluster) return evaluate(shape, parameters, rows);
  const own = evaluate(shape, parameters, rows.slice(...ownRange(cluster, rows.count)));
  const levels = shape.sizes.length;
  const errors = cluster.numbers([own.mse * own.codes.length]);
  const codes = cluster.integers(Int32Array.from(own.codes.flat()));
  return {
    mse: errors.reduce((sum, [error]) => sum + error!, 0) / rows.count,
    codes: codes.flatMap((of) =>
      Array.from({ length: of.length / levels }, (_, i) => [...of.subarray(i * levels, (i + 1) * levels)]),
    ),
  };
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
