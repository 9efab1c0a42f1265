/**
 * Free texts as recommendations: nothing restricted the model to the items, so that a text may be no SID at all. GRec's
 * own ranking metrics come from such texts; ours count what is invalid and what comes twice, and each takes up its rank.
 */
import type { SidIndex } from '../../data/sid-index.js';
import { ksUpTo } from '../measures/ranking.js';
import { itemMetrics, type Metrics, rankMetrics } from '../metrics.js';
import { largest } from '../../support/extremes.js';

/** Metrics of answers that should be SIDs. */
export interface SidMetrics {
  /** Share of the texts that are the SID of an item: the format. */
  valid: number;
  /** Valid texts that occur earlier in their own list. */
  duplicates: number;
  /** By item; where items share a SID they follow one another by id. */
  item: Metrics;
  /** By the text itself: a hit is the target's SID. */
  sid: Metrics;
}

/**
 * @param texts of each row, best first @param targets item id of each row
 * @param ks of the metrics; default 1, 3, 5, 10, 20 and 50 as far as the longest list goes
 *
 * @example one row, target 1 of [[a], [b], [b]], texts ['<x>', 'b']: valid 0.5, item rank 2 (the invalid text is rank 1)
 */
export function sidAnswers(
  texts: readonly (readonly string[])[],
  targets: readonly number[],
  index: SidIndex,
  ks: readonly number[] = ksUpTo(
    largest(
      texts.map(({ length }) => length),
      1,
    ),
  ),
): SidMetrics {
  const items = itemsBySid(index);
  const all = texts.map((of) => of.map(bare));
  const valid = all.flat().filter((text) => items.has(text)).length;
  const duplicates = all.map((of) => of.filter((text, i) => items.has(text) && of.indexOf(text) < i).length);
  const ranked = all.map((of) => of.flatMap((text) => items.get(text) ?? [-1]));
  const results = ranked.map((of, row) => ({ user: '', history: [], target: targets[row]!, items: of, scores: [] }));
  const sids = all.map((of, row) => of.indexOf(bare(index[targets[row]!]!.join(''))) + 1);
  return {
    valid: valid / Math.max(1, all.flat().length),
    duplicates: duplicates.reduce((sum, count) => sum + count, 0),
    item: itemMetrics(results, ks),
    sid: rankMetrics(sids, ks),
  };
}

function itemsBySid(index: SidIndex): Map<string, number[]> {
  const items = new Map<string, number[]>();
  index.forEach((tokens, item) => {
    const sid = bare(tokens.join(''));
    items.set(sid, [...(items.get(sid) ?? []), item]);
  });
  return items;
}

/** Vocabularies of words decode with a blank between codes. */
function bare(text: string): string {
  return text.replace(/\s+/g, '');
}
