/** Item texts -> vectors, and the files that hold them. */
export * from './embed-items.js';
export * from './lsa.js';
export * from './npy.js';
export * from './symmetric-eigen.js';
export * from './tfidf.js';
export * from './truncated-svd.js';
