/**
 * Long tail: the true item is one of the many unpopular ones that together hold few interactions. One that training never
 * saw is a cold start, and of another kind. The default share is small since a tail that holds a fifth of the interactions
 * is, by its definition, about a fifth of the rows that are asked.
 */
import { number } from '../../options/kinds.js';
import { defineDetector } from '../detector.js';

/** @example items seen 6, 2, 1, 1, 0 and 0 times: at a share of 0.2 the tail is those seen once, and the last two are cold */
export const LONG_TAIL = defineDetector({
  name: 'long tail',
  help: 'the true item is among the unpopular ones that together hold few interactions',
  advice: 'draw training rows by a balanced frequency, and reward diversity',
  strategies: ['long_tail'],
  needs: ['rows'],
  options: {
    tailShare: number('long tail: the least popular items that together hold this share of the training interactions', {
      default: 0.05,
      above: 0,
      below: 1,
    }),
  },
  detect({ counts, dataset, options: { tailShare } }) {
    const tail = tailItems(counts.items, dataset.items.length, tailShare);
    return ({ target }) => tail.has(target) && counts.items.has(target);
  },
});

/**
 * The least popular items that together hold at most `share` of the interactions; items never seen are among them.
 * Of equally popular items either all belong or none, so the order of ids does not matter.
 * @param seen times that each item was seen @param items number of items
 */
export function tailItems(seen: ReadonlyMap<number, number>, items: number, share: number): Set<number> {
  const counts = Array.from({ length: items }, (_, item) => seen.get(item) ?? 0);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const byCount = new Map<number, number>(); // count -> items with it
  for (const count of counts) byCount.set(count, (byCount.get(count) ?? 0) + 1);
  let held = 0;
  let most = -1;
  for (const count of [...byCount.keys()].sort((a, b) => a - b)) {
    held += count * byCount.get(count)!;
    if (held > share * total) break;
    most = count;
  }
  return new Set(counts.flatMap((count, item) => (count <= most ? [item] : [])));
}
