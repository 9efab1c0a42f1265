/** Short history: the row says little of its user. */
import { integer } from '../../options/kinds.js';
import { defineDetector } from '../detector.js';

/** @example a history of one or two items, at the default of 2 */
export const SHORT_HISTORY = defineDetector({
  name: 'short history',
  help: 'the history has few items',
  advice: 'give the model more than the history: a profile, or what similar users bought',
  strategies: ['short_history'],
  needs: [],
  options: {
    shortHistory: integer('short history: this many items at most', { default: 2, min: 0 }),
  },
  detect:
    ({ options: { shortHistory } }) =>
    ({ history }) =>
      history.length <= shortHistory,
});
