/** What the search lost, and not the model. */
import type { Result } from '../result.js';
import type { Measure } from './measure.js';

/**
 * 1 where the target was pruned although it scores above an item that was kept: a wider search finds it. Rounding of the
 * two ways to its score is no error of the search. 0 where the results have no log-probabilities of their targets, and for
 * a target of the history where the list has nothing of it: such items may have been left out on purpose
 * (`excludeHistory`). It means something where `scoresAreLogProbs`.
 * @example searchError({ rank: 0, logProb: -3, lowestScore: -4, ... }) // 1
 */
export const searchError: Measure = ({ rank, logProb, lowestScore, target, history, items }) => {
  if (rank !== 0 || logProb === undefined || lowestScore === undefined) return 0;
  const leftOut = history.includes(target) && !items.some((item) => history.includes(item));
  return Number(!leftOut && logProb > lowestScore + ROUNDING);
};

/**
 * Whether the scores of listed targets are their log-probabilities, which searches with a length penalty or an assistant
 * do not rank by. True where no target is listed.
 */
export function scoresAreLogProbs(results: readonly Result[]): boolean {
  let [listed, other] = [0, 0];
  for (const { target, items, scores, targetLogProbs } of results) {
    const score = scores[items.indexOf(target)];
    if (score === undefined || !targetLogProbs?.length) continue;
    const logProb = targetLogProbs.reduce((sum, x) => sum + x, 0);
    listed++;
    if (Math.abs(score - logProb) > 0.01 * (1 + Math.abs(logProb))) other++; // bfloat16 rounds coarsely
  }
  return 2 * other <= listed;
}

/** Nats. */
const ROUNDING = 1e-4;
