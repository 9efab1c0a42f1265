/**
 * Popularity bias: the list holds items that are bought far more often than those that the user buys. After the average
 * popularity of recommendations beside that of profiles (Abdollahpouri et al., "The unfairness of popularity bias in
 * recommendation", 2019); here row by row, and a user who bought something as popular once is not counted.
 */
import { number } from '../../options/kinds.js';
import { defineDetector } from '../detector.js';
import { TELLING_HISTORY } from './telling-history.js';

/** @example a list of items bought 90 times on average, a history of items bought 3, 12 and 40 times, at the default of 4 */
export const POPULARITY_BIAS = defineDetector({
  name: 'popularity bias',
  help: 'the list is far more popular than the history, and than each of its items',
  advice: 'take popularity out of the scores (logit adjustment), and balance the training rows',
  strategies: ['long_tail'],
  needs: ['rows'],
  options: {
    popularityTimes: number('popularity bias: at least so many times as popular (geometric means)', {
      default: 4,
      above: 1,
    }),
  },
  detect:
    ({ counts, topK, options: { popularityTimes } }) =>
    ({ items, history }) => {
      if (history.length < TELLING_HISTORY) return false;
      const list = meanLog(items.slice(0, topK), counts.items);
      const most = history.reduce((found, item) => Math.max(found, meanLog([item], counts.items)), 0);
      return list > most && list - meanLog(history, counts.items) >= Math.log(popularityTimes);
    },
});

/** Mean logarithm of 1 + the times that items were bought; 0 of none. */
export function meanLog(items: readonly number[], counts: ReadonlyMap<number, number>): number {
  return mean(items.map((item) => Math.log1p(counts.get(item) ?? 0)));
}

const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / Math.max(1, values.length);
