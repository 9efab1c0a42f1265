/**
 * The methods that turn item vectors into semantic IDs, by the names of `--method`. A new one is an entry here and its
 * options in `METHOD_OPTIONS`; nothing else compares methods by name: what differs between them is in their entry.
 */
import { rqKmeansConstrained } from './balanced/rqkmeans-constrained.js';
import { rqKmeans } from './kmeans/rqkmeans.js';
import { rqKmeansPlus } from './rqvae/rqkmeans-plus.js';
import { rqvae } from './rqvae/rqvae.js';
import type { SidMethod } from './sid-method.js';
import { METHOD_OPTIONS, type SidMethodName } from './sid-options.js';

/** A method that takes the options under its name. */
function method(name: SidMethodName, quantize: SidMethod['quantize'], learned: boolean): SidMethod {
  return { name, quantize, learned, options: METHOD_OPTIONS[name] };
}

/** The methods that the kit has, by name. */
export const METHODS: Readonly<Record<SidMethodName, SidMethod>> = {
  rqkmeans: method('rqkmeans', rqKmeans, false),
  'rqkmeans-constrained': method('rqkmeans-constrained', rqKmeansConstrained, false),
  rqvae: method('rqvae', rqvae, true),
  'rqkmeans-plus': method('rqkmeans-plus', rqKmeansPlus, true),
};

/** The method of a name; an object is a method itself. */
export function sidMethod(given: SidMethod | SidMethodName): SidMethod {
  return typeof given === 'string' ? METHODS[given] : given;
}
