/**
 * The methods that turn item vectors into semantic IDs, by the names of `--method`. A new one is a line in `METHODS`
 * and its options in `SidOptions`.
 */
import type { Vectors } from '../files/npy.js';
import { rqKmeansConstrained } from './balanced/rqkmeans-constrained.js';
import { rqKmeans } from './kmeans/rqkmeans.js';
import type { QuantizeResult } from './quantized.js';
import { rqKmeansPlus } from './rqvae/rqkmeans-plus.js';
import { rqvae } from './rqvae/rqvae.js';
import type { SidMethod, SidOptions } from './sid-options.js';

/** @param where names the vectors in errors, such as their file */
export type Quantizer = (
  vectors: Vectors,
  options: SidOptions,
  where: string,
) => QuantizeResult | Promise<QuantizeResult>;

export const METHODS = {
  rqkmeans: rqKmeans,
  'rqkmeans-constrained': rqKmeansConstrained,
  rqvae,
  'rqkmeans-plus': rqKmeansPlus,
} satisfies Record<SidMethod, Quantizer>;
