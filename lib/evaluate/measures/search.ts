/** What the search lost, and not the model. */
import type { Measure } from './measure.js';

/**
 * 1 where the target was pruned although it scores above an item that was kept: a wider search finds it. Rounding of the
 * two ways to its score is no error of the search. 0 where the results have no log-probabilities of their targets.
 * @example searchError({ rank: 0, logProb: -3, lowestScore: -4, ... }) // 1
 */
export const searchError: Measure = ({ rank, logProb, lowestScore }) =>
  Number(rank === 0 && logProb !== undefined && lowestScore !== undefined && logProb > lowestScore + ROUNDING);

/** Nats. */
const ROUNDING = 1e-4;
