/** Texts that a model wrote, and how like they are to the answers. */
export * from './bleu.js';
export * from './ngrams.js';
export * from './porter-stem.js';
export * from './rouge.js';
