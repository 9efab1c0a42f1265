/**
 * The `filter` stage: raw files -> `NAME.item.json`, `NAME.{train,valid,test}.inter`, `NAME.inter.json`, `NAME.item2id`,
 * `NAME.user2id`, `NAME.stats.json`, where the source has times `NAME.{train,valid,test}.times`, and on request
 * `NAME.review.json`.
 * All is computed before the first file is written, so a failure leaves the folder as it was.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { SPLITS } from '../dataset.js';
import { timesFile, TIMED_SPLITS } from '../row-times.js';
import { itemPieces } from '../item-file.js';
import { placeholderCatalogue, readCatalogue } from '../raw/catalogue.js';
import { type ColumnMap, parseColumns } from '../raw/columns.js';
import { type RawFormat } from '../raw/format-names.js';
import { detectReviews } from '../raw/formats.js';
import { readInteractions } from '../raw/read-interactions.js';
import { FILTER_OPTIONS, filterRules, type FilterStageOptions } from './filter-options.js';
import { defaultMonths } from './default-dates.js';
import { checkTimes, countsOf, type FilterCounts, hasRawTexts, itemOf } from './filter.js';
import { reviewPieces } from './review-texts.js';
import { select } from './select.js';
import { interPieces, userLines } from './user-files.js';
import { writeSelection } from './write-rows.js';

/** What `filterStage` gives back, also written to `NAME.stats.json`. */
export interface FilterReport extends FilterCounts {
  /** Of the file of interactions. */
  format: RawFormat;
  /** False where there was no metadata, and titles are placeholders. */
  texts: boolean;
  /** Of the stage. */
  seconds: number;
}

/** @throws InputError for bad input (file, line, mend) or when nothing is left; nothing is written then */
export async function filterStage(options: FilterStageOptions): Promise<FilterReport> {
  const start = performance.now();
  const { reviews, meta, out, dataset, format: named, columns: map = {}, ...others } = FILTER_OPTIONS.parse(options);
  const { metaColumns, encoding, plainText, keepFields, reviewTexts, ...given } = others;
  const columns = asColumns(map);
  const format = named ?? (await detectReviews(reviews, encoding));
  const rules = filterRules(given, defaultMonths(format, given.minItems));
  const shared = metaColumns === undefined;
  const ofMeta = shared ? columns : asColumns(metaColumns);
  const encoded = encoding === undefined ? {} : { encoding };
  // At once: this thread waits for the one that inflates the reviews.
  const [data, read] = await Promise.all([
    readInteractions(reviews, { format, columns, ...encoded }),
    meta === undefined
      ? undefined
      : readCatalogue(meta, named && format, ofMeta, { shared, ...encoded, ...(keepFields && { keepFields }) }),
  ]);
  checkTimes(data, given);
  const catalogue = read ?? placeholderCatalogue(data);
  const plain = plainText ?? hasRawTexts(catalogue);
  const selection = select(data, catalogue, rules, plain);
  const written = reviewTexts ? await reviewPieces(reviews, format, selection, plainText ?? true, encoding) : undefined;
  const file = (suffix: string) => join(out, `${dataset}.${suffix}`);
  const counts = (split: FilterCounts['split']) => countsOf(data, catalogue, selection, split);
  const split = writeSelection(
    selection,
    { train: file('train.inter'), valid: file('valid.inter'), test: file('test.inter') },
    [
      [file('item.json'), () => itemPieces(selection.catalogue.map(itemOf))],
      // the source's own names, as LC-Rec and MiniOneRec keep them
      [file('item2id'), () => selection.catalogue.map(({ asin }, id) => `${asin}\t${id}\n`)],
      [file('user2id'), () => userLines(selection)],
      [file('inter.json'), () => interPieces(selection)],
      ...(written ? [[file('review.json'), () => written] as const] : []),
      // without the seconds: equal input, equal bytes
      [file('stats.json'), (rows) => JSON.stringify(counts(rows), null, 2) + '\n'],
    ],
    Object.fromEntries(TIMED_SPLITS.map((split) => [split, timesFile(out, dataset, split)])),
  );
  // those of another source that the folder had before
  if (!data.timed) for (const split of TIMED_SPLITS) rmSync(timesFile(out, dataset, split), { force: true });
  return { ...counts(split), format, texts: meta !== undefined, seconds: (performance.now() - start) / 1000 };
}

/** The files that the stage writes always, for whoever watches them. */
export function filterOutputs(out: string, dataset: string): string[] {
  return [
    'item.json',
    ...SPLITS.map((split) => `${split}.inter`),
    'inter.json',
    'item2id',
    'user2id',
    'stats.json',
  ].map((suffix) => join(out, `${dataset}.${suffix}`));
}

function asColumns(map: ColumnMap | string): ColumnMap {
  return typeof map === 'string' ? parseColumns(map) : map;
}
