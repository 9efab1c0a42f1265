/** Repeat purchase missed: the user buys again what the history has, and the list does not offer it in time. */
import { defineDetector } from '../detector.js';

/** @example history 3, 7, 3 and target 7 */
export const REPEAT_MISSED = defineDetector({
  name: 'repeat purchase',
  help: 'the true item is one that the user bought before',
  advice: 'weigh recent rows more, so that what is bought again is not forgotten',
  strategies: ['recency_bias'],
  needs: [],
  detect:
    () =>
    ({ history, target }) =>
      history.includes(target),
});
