/** The words that options of semantic IDs may be. */

export const KMEANS_INITS = ['best', 'k-means++', 'random-groups', 'random-rows'] as const;

export type KmeansInit = (typeof KMEANS_INITS)[number];

export const COLLISIONS = ['reassign', 'rank', 'keep'] as const;

export type Collisions = (typeof COLLISIONS)[number];

export const BEST = ['loss', 'collision', 'utilisation', 'last'] as const;

/**
 * Which epoch's model is taken: the lowest reconstruction error, the lowest raw collision rate, the largest share of
 * codes in use (ties: the lower error), or simply the last.
 */
export type Best = (typeof BEST)[number];
