/** The words that options of semantic IDs may be. */

export const KMEANS_INITS = ['best', 'k-means++', 'random-groups', 'random-rows'] as const;

/** A word of `KMEANS_INITS`. */
export type KmeansInit = (typeof KMEANS_INITS)[number];

/** What is done with items that share a SID, see `resolveCollisions`. */
export const COLLISIONS = ['reassign', 'sinkhorn', 'rank', 'keep'] as const;

/** A word of `COLLISIONS`. */
export type Collisions = (typeof COLLISIONS)[number];

/** The optimizers of an RQ-VAE, `rqvae/update-rules.ts`. */
export const OPTIMIZERS = ['adamw', 'adam', 'sgd', 'adagrad', 'rmsprop'] as const;
/** A word of `OPTIMIZERS`. */
export type OptimizerName = (typeof OPTIMIZERS)[number];

/** What is made of the difference between vectors and reconstructions: the mean of squares, or of absolute values. */
export const RECONSTRUCTION_LOSSES = ['mse', 'l1'] as const;
/** A word of `RECONSTRUCTION_LOSSES`. */
export type ReconstructionLoss = (typeof RECONSTRUCTION_LOSSES)[number];

/** How a gradient passes a choice of codes, `rqvae/estimators.ts`. */
export const ESTIMATORS = ['straight-through', 'rotation', 'gumbel'] as const;
/** A word of `ESTIMATORS`. */
export type Estimator = (typeof ESTIMATORS)[number];

/** What moves codebooks: their gradient, or running means (`rqvae/ema-codebooks.ts`). */
export const CODEBOOK_UPDATES = ['gradient', 'ema'] as const;

/** Which evaluated epoch of an RQ-VAE is kept. */
export const BEST = ['loss', 'collision', 'utilisation', 'last'] as const;

/**
 * Which epoch's model is taken: the lowest reconstruction error, the lowest raw collision rate, the largest share of
 * codes in use (ties: the lower error), or simply the last.
 */
export type Best = (typeof BEST)[number];
