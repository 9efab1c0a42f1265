/**
 * The methods that turn item vectors into semantic IDs, by the names of `--method`. A new one is an entry here and a
 * file of its own; nothing else compares methods by name. An entry's code is loaded when the method runs, so that a
 * command can list methods and options without an engine.
 */
import {
  LETTER_OPTIONS,
  ONE_CODE_OPTIONS,
  RQ_OPQ_OPTIONS,
  RQKMEANS_CONSTRAINED_OPTIONS,
  RQKMEANS_MINIBATCH_OPTIONS,
  RQKMEANS_OPTIONS,
  RQKMEANS_PLUS_OPTIONS,
  RQVAE_OPTIONS,
  RVQ_OPTIONS,
} from './method-options.js';
import type { SidMethod } from './sid-method.js';

/** The methods that the kit has, by name. */
export const METHODS = {
  rqkmeans: {
    name: 'rqkmeans',
    options: RQKMEANS_OPTIONS.options,
    learned: false,
    parallel: true,
    quantize: async (...given) => (await import('./kmeans/rqkmeans.js')).rqKmeans(...given),
  },
  'rqkmeans-constrained': {
    name: 'rqkmeans-constrained',
    options: RQKMEANS_CONSTRAINED_OPTIONS.options,
    learned: false,
    parallel: true,
    quantize: async (...given) => (await import('./balanced/rqkmeans-constrained.js')).rqKmeansConstrained(...given),
  },
  rqvae: {
    name: 'rqvae',
    options: RQVAE_OPTIONS.options,
    learned: true,
    parallel: true,
    quantize: async (...given) => (await import('./rqvae/rqvae.js')).rqvae(...given),
  },
  'rqkmeans-plus': {
    name: 'rqkmeans-plus',
    options: RQKMEANS_PLUS_OPTIONS.options,
    learned: true,
    parallel: true,
    quantize: async (...given) => (await import('./rqvae/rqkmeans-plus.js')).rqKmeansPlus(...given),
  },
  letter: {
    name: 'letter',
    options: LETTER_OPTIONS.options,
    learned: true,
    quantize: async (vectors, options, where) => (await import('./rqvae/letter.js')).letter(vectors, options, where),
  },
  rvq: {
    name: 'rvq',
    options: RVQ_OPTIONS.options,
    learned: false,
    quantize: async (vectors, options, where) => (await import('./rvq.js')).rvq(vectors, options, where),
  },
  'rq-opq': {
    name: 'rq-opq',
    options: RQ_OPQ_OPTIONS.options,
    learned: false,
    quantize: async (vectors, options, where) => (await import('./rqopq/rq-opq.js')).rqOpq(vectors, options, where),
  },
  'rqkmeans-minibatch': {
    name: 'rqkmeans-minibatch',
    options: RQKMEANS_MINIBATCH_OPTIONS.options,
    learned: false,
    quantize: async (vectors, options, where) =>
      (await import('./kmeans/rqkmeans-minibatch.js')).rqKmeansMiniBatch(vectors, options, where),
    quantizeFile: async (...given) => (await import('./kmeans/rqkmeans-minibatch.js')).rqKmeansOfFile(...given),
  },
  'one-code': {
    name: 'one-code',
    options: ONE_CODE_OPTIONS.options,
    learned: false,
    quantize: async (vectors, options, where) => (await import('./one-code.js')).oneCode(vectors, options, where),
  },
} satisfies Record<string, SidMethod>;

/** A name of the kit's methods. */
export type SidMethodName = keyof typeof METHODS;
/** Names of the kit's methods. */
export const SID_METHODS = Object.keys(METHODS) as SidMethodName[];

/** The method of a name; an object is a method itself. */
export function sidMethod(given: SidMethod | SidMethodName): SidMethod {
  return typeof given === 'string' ? METHODS[given] : given;
}
