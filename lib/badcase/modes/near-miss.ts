/** Near miss: the model goes in the right direction, and something else is a little ahead. */
import { integer } from '../../options/kinds.js';
import { defineDetector } from '../detector.js';

/** @example a target at rank 23 of 50, at the defaults */
export const NEAR_MISS = defineDetector({
  name: 'near miss',
  help: 'the true item is in the list, behind the first ones',
  kind: 'symptom',
  needs: [],
  options: { nearMiss: integer('near miss: the last rank that counts', { default: 50 }) },
  detect:
    ({ topK, options: { nearMiss } }) =>
    ({ rank }) =>
      rank > topK && rank <= nearMiss,
});
