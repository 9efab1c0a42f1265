/** What every model must beat: counting baselines. */
export * from './baseline-stage.js';
export * from './popularity.js';
export * from './transition.js';
export * from './baseline-options.js';
