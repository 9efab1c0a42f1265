/**
 * RQ-VAE: item vectors -> semantic IDs by an autoencoder whose latent is quantized level by level.
 *
 * Follows MiniOneRec's `rq/` (from LC-Rec, arXiv 2311.09049, and TIGER, arXiv 2305.05065): encoder
 * 2048-1024-512-256-128-64 to a latent of 32, ReLU, Xavier normal, 3 x 256 codes, k-means initialisation, commitment
 * 0.25, AdamW 1e-3, gradient norm at most 1. Departures:
 *   1. 60 epochs of batches of 256 with a linear rate instead of 10,000 of 20,480 at a constant one: a plateau in
 *      minutes (docs/log.md has the curve);
 *   2. k-means sees all latents by default, and the model with the lowest reconstruction error is taken,
 *      not the one with the fewest raw collisions: collisions are resolved afterwards anyway;
 *   3. vectors are scaled to a mean square of 1 (`normalize`): without it, rows of unit length end on 3 % of the codes;
 *   4. the first epochs train a plain autoencoder, and k-means fills the codebooks from its latents: from those of random
 *      weights, which all look alike, most codes die within a few epochs;
 *   5. in the first half of the epochs that quantize, dead codes, those that no item uses, are reset (`dead-codes.ts`);
 *   6. collisions are resolved in the latent space as for every method (`collisions.ts`), so that none is left.
 *
 * Shapes: N items, D width, E latent width, L levels.
 */
import * as tf from '@tensorflow/tfjs';
import type { Cluster } from '../../cluster/cluster.js';
import type { Vectors } from '../../files/npy.js';
import { resolveCollisions } from '../collisions/collisions.js';
import { codeUsage, collisionRate, meanSquaredError, type QuantizeResult } from '../quantized.js';
import { fingerprint } from './fingerprint.js';
import { decodeSums, type RqVaeModel } from './model.js';
import { type RqVaeOptions } from '../method-options.js';
import { rqVaePlan, type RqVaePlan } from './options.js';
import { codebooksOf, toVariables } from './parameters.js';
import { checkDivides } from './processes.js';
import { ScaledRows } from './scaled-rows.js';
import { evaluate } from './step.js';
import { type Trained, trainRqVae } from './train.js';

export type { RqVaeModel } from './model.js';
export type { RqVaeOptions } from '../method-options.js';

/** What `rqvae` gives back beyond codes and codebooks. */
export interface RqVae extends QuantizeResult {
  /** That was kept. */
  model: RqVaeModel;
  /** [N, E], where the codebooks live. */
  latents: Vectors;
  /** Reconstruction error before collisions were resolved. */
  rawMse: number;
  /** Epoch whose model was taken. */
  epoch: number;
  /** Updates in all. */
  steps: number;
  /** Of training. */
  trainSeconds: number;
}

/**
 * @param vectors [N, D]
 * @param where names the vectors in errors, such as their file
 * @param cluster processes that have the same vectors and options, and train together; all get the same model
 * @returns codebooks are in the latent space; `mse` is what the decoder makes of the final codes against the vectors
 * @throws InputError for an option out of range, a row that is not finite, fewer items than codes, more items than
 *   SIDs, a run folder of another configuration
 */
export async function rqvae(
  vectors: Vectors,
  options: RqVaeOptions = {},
  where = 'rqvae',
  cluster?: Cluster,
): Promise<RqVae> {
  const plan = rqVaePlan(vectors, options, where);
  if (cluster) checkDivides(plan, cluster);
  const inputs = { vectors: fingerprint(vectors) };
  return withCodes(vectors, plan, await trainRqVae(vectors, plan, { inputs, cluster }));
}

/**
 * Codes of a trained model for the vectors that it was trained on, collisions resolved.
 * @param assign raw codes from latents and codebooks; default the nearest code, level by level
 */
export function withCodes(
  vectors: Vectors,
  plan: RqVaePlan,
  trained: Trained,
  assign?: (latents: Vectors, codebooks: readonly Vectors[]) => number[][],
): RqVae {
  const { shape, scale, collisions } = plan;
  const model = { shape, scale, arrays: trained.arrays };
  const { latents, codes: nearest, mse } = rqVaeCodes(model, vectors);
  const codebooks = codebooksOf(shape, trained.arrays);
  const raw = assign?.(latents, codebooks) ?? nearest;
  const codes = resolveCollisions(latents, raw, codebooks, collisions);
  const error = (of: number[][]): number => meanSquaredError(vectors, of, codebooks, (sums) => decodeSums(model, sums));
  return {
    codes,
    raw,
    codebooks,
    mse: error(codes),
    collision: { raw: collisionRate(raw), final: collisionRate(codes) },
    ...codeUsage(codes, shape.sizes),
    model,
    latents,
    rawMse: assign ? error(raw) : mse,
    epoch: trained.metrics.epoch,
    steps: trained.steps,
    trainSeconds: trained.seconds,
  };
}

/** Latents, nearest codes and reconstruction error of any vectors: also of items that arrive later. */
export function rqVaeCodes(
  { shape, arrays, scale }: RqVaeModel,
  vectors: Vectors,
): { latents: Vectors; codes: number[][]; mse: number } {
  const parameters = toVariables(arrays);
  const rows = new ScaledRows(vectors, scale);
  try {
    const { latent: width } = shape;
    const latents = { rows: vectors.rows, width, data: new Float32Array(vectors.rows * width) };
    const { codes, mse } = evaluate(shape, parameters, rows, { latents });
    return { latents, codes, mse: mse / scale ** 2 };
  } finally {
    tf.dispose([...parameters.values()]);
  }
}
