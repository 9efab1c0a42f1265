/** Ranking metrics and the file of results that they are computed from. */
export * from './metrics.js';
export * from './results-file.js';
export * from './shuffle-histories.js';
export * from './evaluate.js';
export * from './evaluate-stage.js';
export * from './recommender.js';
export * from './text/index.js';
export * from './trained-with.js';
