/** Texts that a model wrote, and how like they are to the answers. */
export * from './answer-table.js';
export * from './bleu.js';
export * from './cosine.js';
export * from './generate-answers.js';
export * from './generations-file.js';
export * from './ngrams.js';
export * from './porter-stem.js';
export * from './rouge.js';
export * from './sid-answers.js';
export * from './text-metrics.js';
