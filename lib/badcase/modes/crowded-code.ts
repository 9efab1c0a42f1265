/**
 * Crowded code: the codebook collapsed where the target is, so that its first code stands for a large part of the
 * catalogue and says next to nothing (van den Oord et al., arXiv 1711.00937, measure it by the codebook's perplexity).
 */
import { number } from '../../options/kinds.js';
import { defineDetector } from '../detector.js';

/** @example a target whose first code 300 of 600 items have, while a code has 12 on average, at the default of 0.2 */
export const CROWDED_CODE = defineDetector({
  name: 'crowded code',
  help: 'the first code of the true item is that of a large part of the catalogue',
  advice: 'use the codebook evenly: another method, balanced codes, or another level',
  strategies: ['sid_quality'],
  needs: ['index'],
  options: {
    crowdedShare: number('crowded code: more than this share of the items has the first code of the target ...', {
      default: 0.2,
      above: 0,
      below: 1,
    }),
    crowdedTimes: number('crowded code: ... and at least so many times as many as the average code', {
      default: 4,
      min: 1,
    }),
  },
  detect({ index, options: { crowdedShare, crowdedTimes } }) {
    const counts = new Map<string, number>();
    for (const [first] of index) counts.set(first!, (counts.get(first!) ?? 0) + 1);
    const least = Math.max(crowdedShare * index.length, (crowdedTimes * index.length) / counts.size);
    return ({ target }) => counts.get(index[target]![0]!)! > least;
  },
});
