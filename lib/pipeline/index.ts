/** All stages together, and the quickstart's configuration. */
export * from './ask.js';
export * from './check-config.js';
export * from './config.js';
export * from './dry-run.js';
export * from './loop-options.js';
export * from './next-round.js';
export * from './pipeline-figures.js';
export * from './result-rows.js';
export * from './pipeline-report.js';
export * from './pipeline.js';
export * from './round.js';
export * from './rounds.js';
export * from './stages.js';
export * from './pipeline-options.js';
export * from './plant-sample.js';
