/** Item vectors -> semantic IDs, and the files that hold them. */
export type { AssignmentProblem } from './assignment-prices.js';
export * from './balanced-assign.js';
export * from './balanced-kmeans.js';
export * from './collisions.js';
export * from './index-file.js';
export * from './kmeans-rounds.js';
export * from './kmeans.js';
export * from './methods.js';
export * from './quantized.js';
export * from './reassign.js';
export * from './residual.js';
export * from './rqkmeans-constrained.js';
export * from './rqkmeans.js';
export * from './sid-stage.js';
export * from './sinkhorn.js';
export * from './uniform-codes.js';
