/** Reviews and item texts -> filtered, split, converted files; the sample catalogue. */
export * from './convert.js';
export * from './converted-files.js';
export * from './core.js';
export * from './csv.js';
export * from './dataset.js';
export * from './filter.js';
export type { Removed } from './filter-rules.js';
export * from './filter-stage.js';
export * from './inter-file.js';
export * from './item-file.js';
export * from './load.js';
export * from './metadata.js';
export * from './python.js';
export * from './reviews.js';
export * from './rows.js';
export * from './table.js';
export * from './title.js';
export * from './sample.js';
