/**
 * The data sets of `../shared/data` as data folders, and vectors of their items.
 *
 * Vectors: of Industrial and MovieLens the kit's `lsa` of titles (and descriptions). Beauty comes without texts: `lsa`
 * of the items' buyers, that is the weighted item-user matrix of the training rows by its largest singular directions.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { embedItems, filterStage, homeFolder, InputError, loadDataset, lsa, writeNpy } from 'sidlab';
import { type FilterOptions } from 'sidlab/data';
import { embeddingsName } from 'sidlab/embed';

interface Source {
  reviews: string;
  /** None: placeholders for titles, and vectors from the buyers. */
  meta?: string;
  options: FilterOptions;
}

const SOURCES = {
  industrial: {
    reviews: 'industrial/raw/reviews.jsonl.gz',
    meta: 'industrial/raw/meta.jsonl.gz',
    options: { userK: 2, itemK: 1 },
  },
  'ml-100k': {
    reviews: 'ml-100k/ml-100k.inter',
    meta: 'ml-100k/ml-100k.item',
    options: { userK: 5, itemK: 1, split: 'leave-one-out' },
  },
  beauty: { reviews: 'beauty/Beauty.inter.json', options: { userK: 5, itemK: 1, split: 'leave-one-out' } },
} satisfies Record<string, Source>;

/** A data set of `../shared/data`. */
export type DatasetName = keyof typeof SOURCES;
/** All of them. */
export const DATASETS = Object.keys(SOURCES) as DatasetName[];

const at = (file: string): string => join(homeFolder(), '../shared/data', file);

/** Whether its files are there. */
export function hasDataset(name: DatasetName): boolean {
  return existsSync(at(SOURCES[name].reviews));
}

/** Filters into a folder, and writes the item vectors there. @returns their file */
export async function datasetVectors(dataset: DatasetName, out: string): Promise<string> {
  const { reviews, meta, options }: Source = SOURCES[dataset];
  if (!hasDataset(dataset)) throw new InputError(`${at(reviews)}: no such file; the benchmark needs the real data`);
  await filterStage({ ...options, reviews: at(reviews), ...(meta && { meta: at(meta) }), out, dataset });
  if (meta) return (await embedItems({ data: out, dataset })).embeddings;
  const { items, train } = await loadDataset(out, dataset);
  const buyers = items.map((): string[] => []);
  for (const { user, history, target } of train)
    for (const item of [...history, target]) buyers[item]!.push(`u${user}`);
  const embeddings = join(out, embeddingsName(dataset, 'buyers'));
  writeNpy(embeddings, lsa(buyers.map((users) => [...new Set(users)].join(' '))).vectors);
  return embeddings;
}
