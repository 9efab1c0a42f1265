/**
 * Passes over the training examples where nobody says how many: by the updates of an epoch, which are known before
 * anything is trained. With so many passes the learning rate falls to nothing when the model has had enough; with 30 on
 * larger data it would still be at its peak, and the best model would be one that was never annealed.
 *
 * Measured (docs/log.md): where a SID is one token, a model from random weights was at its best after some 3,000 updates
 * (MovieLens 100K). Where it is several, which must be right together, 2,900 were enough on Industrial, and on Beauty 22,900
 * gave a quarter more NDCG@10 than 6,100.
 */

/** Updates from which passes are left out, by the tokens of a SID. */
const ENOUGH = { one: 3000, several: 24_000 } as const;
const [LEAST, MOST] = [8, 30];

/** @param of what is trained: tokens of a SID where it is chains of items; the examples of other tasks differ too much */
export function defaultEpochs(updates: number, of: keyof typeof ENOUGH | 'other'): number {
  if (of === 'other') return MOST;
  return Math.min(MOST, Math.max(LEAST, Math.floor(ENOUGH[of] / updates)));
}
