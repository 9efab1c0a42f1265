/**
 * The `filter` stage: raw files -> `NAME.item.json`, `NAME.{train,valid,test}.inter`, `NAME.inter.json`, `NAME.item2id`,
 * `NAME.user2id`, `NAME.stats.json`, where the source has times `NAME.{train,valid,test}.times`, and on request
 * `NAME.review.json`.
 * All is computed before the first file is written, so a failure leaves the folder as it was. What memory does not hold
 * lies in temporary files there meanwhile: some fifty bytes an interaction.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { SPLITS } from '../dataset.js';
import { timesFile, TIMED_SPLITS } from '../row-times.js';
import { removeStale } from '../stale-files.js';
import { itemPieces } from '../item-file.js';
import { inputFiles } from '../../files/input-files.js';
import { keepInputs } from '../../files/keep-inputs.js';
import { Scratch } from '../../files/scratch.js';
import { InputError } from '../../support/errors.js';
import { readItemsInto } from '../raw/catalogue.js';
import { type ColumnMap, parseColumns } from '../raw/columns.js';
import { type RawFormat } from '../raw/format-names.js';
import { detectReviews } from '../raw/formats.js';
import type { InteractionSink } from '../raw/interactions.js';
import { readInteractionsInto } from '../raw/read-interactions.js';
import type { CatalogueItem, ItemList, ItemSink } from '../raw/shelf.js';
import { FILTER_OPTIONS, filterRules, type FilterStageOptions } from './filter-options.js';
import { defaultMonths } from './default-dates.js';
import { countsOf, type FilterCounts, itemOf } from './filter.js';
import { type FromSource, readAndSelect } from './on-disk/read-and-select.js';
import { reviewPieces } from './review-texts.js';
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
  const {
    reviews,
    meta: metaPath,
    out,
    dataset,
    format: named,
    columns: map = {},
    ...others
  } = FILTER_OPTIONS.parse(options);
  const { metaColumns, encoding, plainText, keepFields, reviewTexts, spillRows, ...given } = others;
  keepSource([reviews, ...(metaPath === undefined ? [] : [metaPath])], out, dataset);
  const columns = asColumns(map);
  const format = named ?? (await detectReviews(reviews, encoding));
  const rules = filterRules(given, defaultMonths(format, given.minItems));
  const shared = metaColumns === undefined;
  const ofMeta = shared ? columns : asColumns(metaColumns);
  const encoded = encoding === undefined ? {} : { encoding };
  const meta =
    metaPath === undefined
      ? undefined
      : {
          path: metaPath,
          read: (into: ItemSink) =>
            readItemsInto(into, metaPath, named && format, ofMeta, {
              shared,
              ...encoded,
              ...(keepFields && { keepFields }),
            }),
        };
  const source = {
    reviews: (into: InteractionSink) => readInteractionsInto(into, reviews, { format, columns, ...encoded }),
    ...(meta && { meta }),
  };
  const scratch = new Scratch(out);
  try {
    const from = await readAndSelect(source, { ...given, spillRows, plainText }, rules, scratch);
    if (reviewTexts && !from.inMemory) {
      throw new InputError(
        `filter: expected at most ${spillRows} interactions for --review-texts, which are held in memory; leave it out, or raise --spill-rows`,
      );
    }
    const written = reviewTexts
      ? await reviewPieces(reviews, format, from.inMemory!, plainText ?? true, encoding)
      : undefined;
    const counts = writeFiles(from, out, dataset, written);
    return { ...counts, format, texts: meta !== undefined, seconds: (performance.now() - start) / 1000 };
  } finally {
    scratch.close();
  }
}

function writeFiles(
  { data, catalogue, selection }: FromSource,
  out: string,
  dataset: string,
  reviewTexts: string[] | undefined,
): FilterCounts {
  const file = (suffix: string) => join(out, `${dataset}.${suffix}`);
  const counts = (split: FilterCounts['split']) => countsOf(data, catalogue, selection, split);
  const split = writeSelection(
    selection,
    { train: file('train.inter'), valid: file('valid.inter'), test: file('test.inter') },
    [
      [file('item.json'), () => itemPieces(mapped(selection.catalogue, itemOf))],
      // the source's own names, as LC-Rec and MiniOneRec keep them
      [file('item2id'), () => mapped(selection.catalogue, ({ asin }, id) => `${asin}\t${id}\n`)],
      [file('user2id'), () => userLines(selection)],
      [file('inter.json'), () => interPieces(selection)],
      ...(reviewTexts ? [[reviewFile(out, dataset), () => reviewTexts] as const] : []),
      // without the seconds: equal input, equal bytes
      [file('stats.json'), (rows) => JSON.stringify(counts(rows), null, 2) + '\n'],
    ],
    Object.fromEntries(TIMED_SPLITS.map((split) => [split, timesFile(out, dataset, split)])),
  );
  const times = data.timed ? TIMED_SPLITS.map((of) => timesFile(out, dataset, of)) : [];
  removeStale(out, dataset, [...filterOutputs(out, dataset), ...times]);
  if (!reviewTexts) rmSync(reviewFile(out, dataset), { force: true }); // its numbers are another filter's
  return counts(split);
}

function reviewFile(out: string, dataset: string): string {
  return join(out, `${dataset}.review.json`);
}

/** @throws InputError where the source would be written over */
function keepSource(sources: readonly string[], out: string, dataset: string): void {
  const times = TIMED_SPLITS.map((split) => timesFile(out, dataset, split));
  const outputs = [...filterOutputs(out, dataset), ...times, reviewFile(out, dataset)];
  keepInputs('filter', sources.flatMap(inputFiles), outputs, 'name another --out or --dataset');
}

function* mapped<T>(items: ItemList, of: (item: CatalogueItem, id: number) => T): Generator<T> {
  let id = 0;
  for (const item of items) yield of(item, id++);
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
