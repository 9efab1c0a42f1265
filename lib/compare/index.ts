/** Several models over the same rows: paired tests, slices, failure modes, rows won and lost. */
export * from './compare-options.js';
export * from './compare-report.js';
export * from './compare-stage.js';
export * from './comparison-tables.js';
export * from './differences.js';
export * from './failed-modes.js';
export * from './outcomes.js';
export * from './paired-tests.js';
export * from './sides.js';
export * from './slices.js';
export * from './write-comparison.js';
