/** All stages together, and the quickstart's configuration. */
export * from './check-config.js';
export * from './config.js';
export * from './dry-run.js';
export * from './pipeline-figures.js';
export * from './result-rows.js';
export * from './pipeline.js';
export * from './stages.js';
export * from './pipeline-options.js';
