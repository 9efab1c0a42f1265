/** Paper tables: published values as data, measured ones beside them. */
export * from './fill-table.js';
export * from './find-runs.js';
export * from './measure-runs.js';
export * from './paper-table.js';
export * from './row-command.js';
export * from './run-missing.js';
export * from './run-options.js';
export * from './sort-runs.js';
export * from './stage-results.js';
export * from './table-figure.js';
export * from './table-options.js';
export * from './table-stage.js';
export * from './table-text.js';
