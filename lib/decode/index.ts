export * from './beam-search.js';
export * from './finite-scores.js';
export * from './free-beams.js';
export * from './generate-cache.js';
export * from './generate-nucleus.js';
export type { GenerateOptions } from './generate-options.js';
export * from './generate.js';
export * from './item-trie.js';
export * from './prefix-cache.js';
