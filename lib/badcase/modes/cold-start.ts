/** Cold start: the true item was hardly ever seen in training, so a recommender had nothing to learn of it. */
import { integer } from '../../options/kinds.js';
import { defineDetector } from '../detector.js';

/** @example a target that no training row has, at the default of 1 */
export const COLD_START = defineDetector({
  name: 'cold start',
  help: 'the true item was hardly ever seen in training',
  advice: 'train on item texts too, so that an item without rows is known by its words',
  strategies: ['cold_start'],
  needs: ['rows'],
  options: {
    coldBelow: integer('cold start: the target was seen fewer times than this in training', { default: 1 }),
  },
  detect:
    ({ counts, options: { coldBelow } }) =>
    ({ target }) =>
      (counts.items.get(target) ?? 0) < coldBelow,
});
