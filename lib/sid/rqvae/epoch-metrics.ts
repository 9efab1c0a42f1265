/** What an evaluation after an epoch measures. */

/** Metrics of an epoch's model. */
export interface EpochMetrics {
  /** From 1. */
  epoch: number;
  /** Of the reconstruction. */
  mse: number;
  /** Raw collision rate. */
  collision: number;
  /** Share of codes in use, over all levels. */
  utilisation: number;
}
