/**
 * The `filter` stage: raw files -> `NAME.item.json`, `NAME.{train,valid,test}.inter`, `NAME.stats.json`.
 * All is computed before the first file is written, so a failure leaves the folder as it was.
 */
import { join } from 'node:path';
import { InputError, writeAllAtomic } from '../support/index.js';
import { SPLITS } from './dataset.js';
import { type FilterCounts, type FilterOptions, filterInteractions } from './filter.js';
import { formatInter } from './inter-file.js';
import { formatItems } from './item-file.js';
import { readMetadata } from './metadata.js';
import { readReviews } from './reviews.js';

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
  const { reviews, meta, out, dataset, ...rules } = options;
  checkName(dataset);
  const filtered = filterInteractions(await readReviews(reviews), await readMetadata(meta), rules);
  const file = (suffix: string) => join(out, `${dataset}.${suffix}`);
  const texts: [string, string][] = [
    [file('item.json'), formatItems(filtered.items)],
    ...SPLITS.map((split): [string, string] => [file(`${split}.inter`), formatInter(filtered[split])]),
    // without the seconds: equal input, equal bytes
    [file('stats.json'), JSON.stringify(filtered.counts, null, 2) + '\n'],
  ];
  writeAllAtomic(texts);
  return { ...filtered.counts, seconds: (performance.now() - start) / 1000 };
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
