/** All stages together, and the quickstart's configuration. */
export * from './config.js';
export * from './pipeline.js';
export * from './stages.js';
