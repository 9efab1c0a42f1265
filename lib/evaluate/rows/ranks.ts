/**
 * Where a list has its target. Ranks count from 1; 0 says that the list lacks it. What comes twice counts where it comes
 * first.
 */
import type { SidIndex } from '../../data/sid-index.js';

/** What a rank is read from: a result, or its list and its target alone. */
export interface Ranked {
  /** Item id. */
  target: number;
  /** Item ids, best first. */
  items: readonly number[];
}

/** Rank of the target by item. @example itemRank({ target: 5, items: [7, 5] }) // 2 */
export function itemRank({ items, target }: Ranked): number {
  return items.indexOf(target) + 1;
}

/**
 * Rank of the target by SID: the list becomes its SIDs, a SID is kept where it first occurs and dropped later, so that
 * ranks count distinct SIDs; a hit is the target's SID. Ids without a SID take up a rank each and never hit.
 * @returns a function that reads one list; the index is prepared once
 * @example sidRanker([['<a_1>'], ['<a_1>'], ['<a_2>']])({ target: 2, items: [0, 1, 2] }) // 2, by item it is 3
 */
export function sidRanker(index: SidIndex): (row: Ranked) => number {
  const numbers = new Map<string, number>();
  const sids = index.map((tokens) => {
    const sid = tokens.join('');
    if (!numbers.has(sid)) numbers.set(sid, numbers.size);
    return numbers.get(sid)!;
  });
  /** SID -> the last list that had it, so that no set is made for each list. */
  const seenIn = new Int32Array(numbers.size);
  let list = 0;
  return ({ items, target }) => {
    const wanted = sids[target];
    if (wanted === undefined) return 0;
    list++;
    let rank = 0;
    for (const [i, id] of items.entries()) {
      const sid = sids[id];
      if (sid === wanted) return rank + 1;
      if (sid === undefined ? items.indexOf(id) < i : seenIn[sid] === list) continue;
      if (sid !== undefined) seenIn[sid] = list;
      rank++;
    }
    return 0;
  };
}
