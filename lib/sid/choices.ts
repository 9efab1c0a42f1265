/** The words that options of semantic IDs may be. */

export const KMEANS_INITS = ['best', 'k-means++', 'random-groups', 'random-rows'] as const;

/** A word of `KMEANS_INITS`. */
export type KmeansInit = (typeof KMEANS_INITS)[number];

/** What is done with items that share a SID, see `resolveCollisions`. */
export const COLLISIONS = ['reassign', 'rank', 'keep'] as const;

/** A word of `COLLISIONS`. */
export type Collisions = (typeof COLLISIONS)[number];

/** Which evaluated epoch of an RQ-VAE is kept. */
export const BEST = ['loss', 'collision', 'utilisation', 'last'] as const;

/**
 * Which epoch's model is taken: the lowest reconstruction error, the lowest raw collision rate, the largest share of
 * codes in use (ties: the lower error), or simply the last.
 */
export type Best = (typeof BEST)[number];
