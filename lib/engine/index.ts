/** Which tensor engine computes, what it runs itself, and how fast. */
export * from './doctor.js';
export * from './engine.js';
export * from './kernel-counts.js';
export * from './native-ops.js';
export * from './choose-precision.js';
export * from './cluster.js';
