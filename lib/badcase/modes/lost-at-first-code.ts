/** The level at which the path left the target: at the first code, or further down. */
import { defineDetector } from '../detector.js';
import { sharedCodes } from '../../evaluate/rows/features.js';

/** @example a target `<a_1><b_2>` that is not listed, while every listed item begins with another code than `<a_1>` */
export const LOST_AT_FIRST_CODE = defineDetector({
  name: 'lost at the first code',
  help: 'no item of the whole list shares the first code of the true one',
  kind: 'symptom',
  needs: ['index'],
  detect:
    ({ index }) =>
    ({ rank, items, target }) =>
      rank === 0 && leftAt(index, items, target) === 0,
});

/**
 * Codes of the target that the list followed: as many as the nearest listed item has in common with it.
 * @example leftAt(index, [7, 4], 9) // 0: neither shares the first code of item 9
 */
export function leftAt(index: readonly (readonly string[])[], items: readonly number[], target: number): number {
  return sharedCodes(
    index[target]!,
    items.map((item) => index[item]!),
  );
}
