/**
 * Items of the history in lists: places that are lost where nobody buys the same thing again, and targets that are lost where
 * somebody does.
 */
import type { Dataset, Row } from '../../data/dataset.js';
import { type CatalogueFiles, readCatalogueFiles } from './catalogue.js';
import { type ListReport, listReport } from './list-report.js';
import { LISTED, readRanked } from './read-ranked.js';

/** Below this share of the first places the loss is not worth a word. */
const WORTH_SAYING = 0.01;

/** Whether no row has its target in its history. */
export function nobodyBuysAgain(rows: readonly Row[]): boolean {
  return !rows.some(({ history, target }) => history.includes(target));
}

/**
 * Whether nobody buys again is read from the training rows: what the test rows hold is not to decide how they are ranked.
 * @param excludesHistory whether the lists were ranked without the items of the history
 */
export function repeatsWarning(
  { train }: Dataset,
  { k, repeats, targetRepeats }: ListReport,
  excludesHistory: boolean,
): string | undefined {
  if (excludesHistory) {
    if (targetRepeats === 0) return undefined;
    return `${percent(targetRepeats)} of the targets are in their history, which --exclude-history never recommends`;
  }
  if (repeats < WORTH_SAYING || train.length === 0) return undefined;
  if (!nobodyBuysAgain(train)) return undefined;
  return `${percent(repeats)} of the first ${k} places hold items of the history, which no training row has as its target; --exclude-history ranks without them`;
}

/** Two digits; `toPrecision` alone makes 1.0e+2 of what is nearly all. */
function percent(share: number): string {
  return `${Number((100 * share).toPrecision(2))} %`;
}

/** The same of a results file. @throws InputError for a file that is damaged or of another catalogue */
export async function repeatsInFile(file: string, of: CatalogueFiles): Promise<string | undefined> {
  const ranked = await readRanked(file, await readCatalogueFiles(of));
  const { dataset, table, longest, excludesHistory = false } = ranked;
  return dataset && repeatsWarning(dataset, listReport(table, Math.min(LISTED, longest)), excludesHistory);
}
