/**
 * The `filter` stage: raw files -> `NAME.item.json`, `NAME.{train,valid,test}.inter`, `NAME.stats.json`.
 * All is computed before the first file is written, so a failure leaves the folder as it was.
 */
import { join } from 'node:path';
import { InputError } from '../support/index.js';
import { SPLITS } from './dataset.js';
import { type FilterCounts, checkTimes, countsOf, itemOf } from './filter.js';
import { type FilterOptions, parseOptions } from './filter-options.js';
import { formatItems } from './item-file.js';
import { readMetadata } from './metadata.js';
import { readInteractions } from './read-interactions.js';
import { select } from './select.js';
import { writeSelection } from './write-rows.js';

export interface FilterStageOptions extends FilterOptions {
  /** Reviews, one JSON object a line, plain or gzip. */
  reviews: string;
  /** Item texts, likewise. */
  meta: string;
  /** Folder to write to. */
  out: string;
  /** NAME of the files: letters, digits, `_`, `-`, `.`. */
  dataset: string;
}

export interface FilterReport extends FilterCounts {
  seconds: number;
}

/** @throws InputError for bad input (file, line, mend) or when nothing is left; nothing is written then */
export async function filterStage(options: FilterStageOptions): Promise<FilterReport> {
  const start = performance.now();
  const { reviews, meta, out, dataset, ...given } = options;
  checkName(dataset);
  const rules = parseOptions(given);
  const data = await readInteractions(reviews);
  checkTimes(data, given);
  const catalogue = await readMetadata(meta);
  const selection = select(data, catalogue, rules);
  const file = (suffix: string) => join(out, `${dataset}.${suffix}`);
  const counts = (split: FilterCounts['split']) => countsOf(data, catalogue, selection, split);
  const split = writeSelection(
    selection,
    { train: file('train.inter'), valid: file('valid.inter'), test: file('test.inter') },
    [
      [file('item.json'), () => formatItems(selection.catalogue.map(itemOf))],
      // without the seconds: equal input, equal bytes
      [file('stats.json'), (rows) => JSON.stringify(counts(rows), null, 2) + '\n'],
    ],
  );
  return { ...counts(split), seconds: (performance.now() - start) / 1000 };
}

/** The files that the stage writes, for whoever watches them. */
export function filterOutputs(out: string, dataset: string): string[] {
  return ['item.json', ...SPLITS.map((split) => `${split}.inter`), 'stats.json'].map((suffix) =>
    join(out, `${dataset}.${suffix}`),
  );
}

function checkName(dataset: string): void {
  if (!/^[\w.-]+$/.test(dataset)) {
    throw new InputError(`filter: expected dataset to be a name of letters, digits, _ - and ., got ${dataset}`);
  }
}
