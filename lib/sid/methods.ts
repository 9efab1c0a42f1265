/**
 * The methods that turn item vectors into semantic IDs, by the names of `--method`. A new one is an entry of `METHODS`
 * and its options in `SidOptions`; nothing else compares methods by name: what differs between them is in their entry.
 */
import type { Vectors } from '../files/npy.js';
import { InputError } from '../support/errors.js';
import { rqKmeansConstrained, type RqKmeansConstrainedOptions } from './balanced/rqkmeans-constrained.js';
import { rqKmeans, type RqKmeansOptions } from './kmeans/rqkmeans.js';
import type { QuantizeResult } from './quantized.js';
import { rqKmeansPlus, type RqKmeansPlusOptions } from './rqvae/rqkmeans-plus.js';
import { rqvae } from './rqvae/rqvae.js';

/** The options of all methods; each reads its own. */
export type SidOptions = RqKmeansOptions & RqKmeansConstrainedOptions & RqKmeansPlusOptions;

/**
 * Item vectors [N, D] -> codes and codebooks. `quantizeResult` makes the result of codes and codebooks.
 * @param where names the vectors in errors, such as their file
 * @throws InputError for vectors or options that it cannot take
 */
export type Quantizer = (
  vectors: Vectors,
  options: SidOptions,
  where: string,
) => QuantizeResult | Promise<QuantizeResult>;

/** A way to make semantic IDs: one of `METHODS`, or an object of your own. */
export interface SidMethod {
  /** What reports, `NAME.sid.json` and errors call it. */
  name: string;
  quantize: Quantizer;
  /** Whether it trains an encoder: then its result has a `model`, and the codebooks live among that model's latents. */
  learned: boolean;
}

/** The methods that the kit has, by name. */
export const METHODS = {
  rqkmeans: { name: 'rqkmeans', quantize: rqKmeans, learned: false },
  'rqkmeans-constrained': { name: 'rqkmeans-constrained', quantize: rqKmeansConstrained, learned: false },
  rqvae: { name: 'rqvae', quantize: rqvae, learned: true },
  'rqkmeans-plus': { name: 'rqkmeans-plus', quantize: rqKmeansPlus, learned: true },
} satisfies Record<string, SidMethod>;

/** A name of `METHODS`. */
export type SidMethodName = keyof typeof METHODS;
/** The names of `METHODS`, in their order. */
export const SID_METHODS = Object.keys(METHODS) as SidMethodName[];

/**
 * The method of a name; an object is a method itself.
 * @throws InputError for an unknown name, or an object that is no method
 */
export function sidMethod(method: SidMethod | SidMethodName): SidMethod {
  if (typeof method === 'string') {
    if (Object.hasOwn(METHODS, method)) return METHODS[method];
    throw new InputError(`sid: expected --method ${SID_METHODS.join(', ')}, got ${method}`);
  }
  const { name, quantize, learned } = (method ?? {}) as Partial<SidMethod>;
  if (typeof name === 'string' && name !== '' && typeof quantize === 'function' && typeof learned === 'boolean') {
    return method;
  }
  throw new InputError(
    'sid: expected a method with a name, a function quantize and a boolean learned, got another object',
  );
}
