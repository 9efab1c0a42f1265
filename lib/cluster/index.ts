/** Several processes that compute one stage together, on TensorFlow's collectives. */
export * from './alone.js';
export * from './cluster.js';
export * from './collectives.js';
export * from './packed.js';
export * from './launch/cluster-env.js';
export * from './launch/launch-options.js';
export * from './launch/local.js';
