/** Prefix competition: items whose SID differs from the target's in its last code alone took its place. */
import { number } from '../../options/kinds.js';
import { defineDetector } from '../detector.js';

/** @example five of the first ten items have all codes of the target but the last */
export const PREFIX_COMPETITION = defineDetector({
  name: 'prefix competition',
  help: 'items with all codes of the true one but the last took its place',
  kind: 'symptom',
  needs: ['index'],
  options: {
    competitors: number('prefix competition: this share of the first items, or more', {
      default: 0.3,
      above: 0,
      max: 1,
    }),
  },
  detect:
    ({ index, topK, options: { competitors } }) =>
    ({ items, target, rank }) => {
      if (rank > 0 && rank <= topK) return false;
      const first = items.slice(0, topK);
      return first.filter((item) => isSibling(index, item, target)).length >= competitors * Math.max(1, first.length);
    },
});

/** Whether two items have SIDs of one length that differ in the last code at most. */
export function isSibling(index: readonly (readonly string[])[], a: number, b: number): boolean {
  const [one, other] = [index[a]!, index[b]!];
  return one.length === other.length && one.slice(0, -1).every((token, level) => token === other[level]);
}
