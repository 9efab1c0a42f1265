/** The path followed the target for a code or more, and left it at a later one. */
import { defineDetector } from '../detector.js';
import { leftAt } from './lost-at-first-code.js';

/** @example a target `<a_1><b_2>` that is not listed, while `<a_1><b_7>` is */
export const LOST_AT_LATER_CODE = defineDetector({
  name: 'lost at a later code',
  help: 'the list has items with the first code of the true one, but not itself',
  kind: 'symptom',
  needs: ['index'],
  detect:
    ({ index }) =>
    ({ rank, items, target }) =>
      rank === 0 && leftAt(index, items, target) > 0,
});
