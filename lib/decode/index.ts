export * from './beam-search.js';
export * from './item-trie.js';
export * from './trunk-cache.js';
