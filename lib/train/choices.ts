/** The words that options of training may be. */

export const OPTIMIZERS = ['adamw', 'muon'] as const;

/** A word of `OPTIMIZERS`. */
export type OptimizerName = (typeof OPTIMIZERS)[number];
