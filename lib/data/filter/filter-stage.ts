/**
 * The `filter` stage: raw files -> `NAME.item.json`, `NAME.{train,valid,test}.inter`, `NAME.item2id`, `NAME.stats.json`.
 * All is computed before the first file is written, so a failure leaves the folder as it was.
 */
import { join } from 'node:path';
import { SPLITS } from '../dataset.js';
import { formatItems } from '../item-file.js';
import { placeholderCatalogue, readCatalogue } from '../raw/catalogue.js';
import { parseColumns } from '../raw/columns.js';
import { type RawFormat } from '../raw/format-names.js';
import { detectReviews } from '../raw/formats.js';
import { readInteractions } from '../raw/read-interactions.js';
import { FILTER_OPTIONS, filterRules, type FilterStageOptions } from './filter-options.js';
import { checkTimes, countsOf, type FilterCounts, itemOf } from './filter.js';
import { select } from './select.js';
import { writeSelection } from './write-rows.js';

export interface FilterReport extends FilterCounts {
  format: RawFormat;
  /** False where there was no metadata, and titles are placeholders. */
  texts: boolean;
  seconds: number;
}

/** @throws InputError for bad input (file, line, mend) or when nothing is left; nothing is written then */
export async function filterStage(options: FilterStageOptions): Promise<FilterReport> {
  const start = performance.now();
  const { reviews, meta, out, dataset, format: named, columns: map = {}, ...given } = FILTER_OPTIONS.parse(options);
  const columns = typeof map === 'string' ? parseColumns(map) : map;
  const format = named ?? (await detectReviews(reviews));
  // The reference's dates are those of Amazon's files up to 2018.
  const bounded = format === 'amazon-2014' || format === 'amazon-2018' || given.minItems;
  const rules = filterRules(given, bounded ? undefined : { from: 'any', to: 'any' });
  // At once: this thread waits for the one that inflates the reviews.
  const [data, read] = await Promise.all([
    readInteractions(reviews, { format, columns }),
    meta === undefined ? undefined : readCatalogue(meta, named && format, columns),
  ]);
  checkTimes(data, given);
  const catalogue = read ?? placeholderCatalogue(data);
  const selection = select(data, catalogue, rules);
  const file = (suffix: string) => join(out, `${dataset}.${suffix}`);
  const counts = (split: FilterCounts['split']) => countsOf(data, catalogue, selection, split);
  const split = writeSelection(
    selection,
    { train: file('train.inter'), valid: file('valid.inter'), test: file('test.inter') },
    [
      [file('item.json'), () => formatItems(selection.catalogue.map(itemOf))],
      // the shop's own names, as LC-Rec and MiniOneRec keep them
      [file('item2id'), () => selection.catalogue.map(({ asin }, id) => `${asin}\t${id}\n`).join('')],
      // without the seconds: equal input, equal bytes
      [file('stats.json'), (rows) => JSON.stringify(counts(rows), null, 2) + '\n'],
    ],
  );
  return { ...counts(split), format, texts: meta !== undefined, seconds: (performance.now() - start) / 1000 };
}

/** The files that the stage writes, for whoever watches them. */
export function filterOutputs(out: string, dataset: string): string[] {
  return ['item.json', ...SPLITS.map((split) => `${split}.inter`), 'item2id', 'stats.json'].map((suffix) =>
    join(out, `${dataset}.${suffix}`),
  );
}
