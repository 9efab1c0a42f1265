/**
 * Passes over the training examples where nobody says how many: by the updates of an epoch, which are known before
 * anything is trained. A model from random weights in chain mode was at its best after some 3,000 updates on the real
 * data that it was tried on (docs/log.md); with so many passes the learning rate falls to nothing at that point, with
 * 30 on larger data it would still be at its peak, and the best model would be one that was never annealed.
 */

/** Updates from which passes are left out. */
const DEFAULT_UPDATES = 3000;
const [LEAST, MOST] = [8, 30];

/**
 * @param updates of an epoch @param chain whether it trains chains of items; the examples of other tasks differ too much
 * @example defaultEpochs(98, true) // 30 (Industrial); defaultEpochs(236, true) // 12 (MovieLens 100K)
 */
export function defaultEpochs(updates: number, chain: boolean): number {
  if (!chain) return MOST;
  return Math.min(MOST, Math.max(LEAST, Math.floor(DEFAULT_UPDATES / updates)));
}
