/** Cases as rows of a table for people: titles in place of item ids. */
import type { Item } from '../../data/dataset.js';
import type { ReportedCase } from '../report-shape.js';

/** A case in words. */
export interface CaseRow {
  /** Place among the results, from 0. */
  row: number;
  user: string;
  /** The last titles of the history, the newest last. */
  history: string;
  /** Title of the target. */
  wanted: string;
  /** From 1; 0 where the target is not listed. */
  rank: number;
  /** The first titles of the list, each with its score. */
  offered: string;
  /** Names of the modes. */
  modes: string;
}

/** @param items of the data set @param most titles of history and list */
export function caseTable(cases: readonly ReportedCase[], items: readonly Pick<Item, 'title'>[], most = 3): CaseRow[] {
  const title = (item: number): string => items[item]?.title ?? `item ${item}`;
  return cases.map(({ row, user, history, target, rank, items: list, scores, modes }) => ({
    ...{ row, user, rank, wanted: title(target), modes: modes.join(', ') },
    history: history.slice(-most).map(title).join(' | '),
    offered: list
      .slice(0, most)
      .map((item, i) => `${title(item)} (${scores[i]!.toFixed(1)})`)
      .join(' | '),
  }));
}
