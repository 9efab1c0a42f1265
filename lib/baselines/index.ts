/** What every model must beat: counting baselines. */
export * from './baseline.js';
export * from './baseline-options.js';
export * from './baseline-stage.js';
export * from './baselines.js';
export * from './counts.js';
export * from './popularity.js';
export * from './rank-baselines.js';
export * from './transition.js';
