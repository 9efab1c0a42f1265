/** Item texts -> vectors, and the files that hold them. */
export * from './embed-items.js';
export * from './lsa/lsa.js';
export * from './lsa/symmetric-eigen.js';
export * from './lsa/tfidf.js';
export * from './lsa/truncated-svd.js';
export * from './most-alike.js';
export * from './sentence/encode-texts.js';
export * from './sentence/encoder-config.js';
export * from './sentence/length-batches.js';
export * from './sentence/pool-tokens.js';
export * from './sentence/sentence-encoder.js';
export * from './sentence/token-vectors.js';
export { modelStamp } from './sentence/transformers.js';
export * from './text-embedder.js';
export * from './embed-options.js';
