/** Repeat purchases pushed: the list offers what the user has already, and the user wants something new. */
import { number } from '../../options/kinds.js';
import { defineDetector } from '../detector.js';

/** @example five of the first ten items are in the history, and the target is not */
export const REPEATS_PUSHED = defineDetector({
  name: 'repeats pushed',
  help: 'a large part of the first items was bought before, the true one was not',
  advice: 'leave out what the history has: evaluate --exclude-history',
  strategies: ['exclude_history'],
  needs: [],
  options: {
    pushedShare: number('repeats pushed: this share of the first items, or more', { default: 0.5, above: 0, max: 1 }),
  },
  detect:
    ({ topK, options: { pushedShare } }) =>
    ({ history, target, items }) => {
      if (history.includes(target)) return false;
      const first = items.slice(0, topK);
      return first.filter((item) => history.includes(item)).length >= pushedShare * Math.max(1, first.length);
    },
});
