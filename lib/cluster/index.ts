/** Several processes that compute one stage together, on TensorFlow's collectives. */
export * from './cluster.js';
export * from './collectives.js';
export * from './packed.js';
