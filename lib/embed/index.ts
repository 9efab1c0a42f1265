/** Item texts -> vectors, and the files that hold them. */
export * from './embed-items.js';
export * from './encode-texts.js';
export * from './encoder-config.js';
export * from './length-batches.js';
export * from './lsa.js';
export * from './most-alike.js';
export * from './npy.js';
export { DTYPES, type Dtype } from './npy-header.js';
export { readNpz, writeNpz } from './npz.js';
export * from './pool-tokens.js';
export * from './sentence-encoder.js';
export * from './symmetric-eigen.js';
export * from './text-embedder.js';
export * from './tfidf.js';
export { modelStamp } from './transformers.js';
export * from './truncated-svd.js';
