/**
 * Every method on every data set of `../shared/data`, by the functions that `sidlab sid` and `sid quality` call: does it
 * end, with no two items on one SID, and what does the quality report say.
 *
 * Vectors: of Industrial and MovieLens the kit's `lsa` of titles (and descriptions). Beauty comes without texts: `lsa`
 * of the items' buyers, that is the weighted item-user matrix of the training rows by its largest singular directions.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  embedItems,
  filterStage,
  homeFolder,
  InputError,
  loadDataset,
  lsa,
  SID_METHODS,
  sidQualityStage,
  sidStage,
  writeNpy,
} from 'sidlab';
import { type FilterOptions } from 'sidlab/data';
import { embeddingsName } from 'sidlab/embed';
import type { Row } from '../row.js';

interface Source {
  reviews: string;
  /** None: placeholders for titles, and vectors from the buyers. */
  meta?: string;
  options: FilterOptions;
}

const SOURCES: Record<string, Source> = {
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
};

export async function sidDatasets(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [name, source] of Object.entries(SOURCES)) {
    const data = join(homeFolder(), 'data/sid-datasets', name);
    const embeddings = await vectorsOf(name, data, source);
    for (const method of SID_METHODS) {
      const row = await measure(name, data, embeddings, method);
      console.error(`${row.name}: ${row.note}`);
      rows.push(row);
    }
  }
  return rows;
}

/** Filters, and writes the item vectors. @returns their file */
async function vectorsOf(dataset: string, out: string, { reviews, meta, options }: Source): Promise<string> {
  const at = (file: string): string => join(homeFolder(), '../shared/data', file);
  if (!existsSync(at(reviews))) {
    throw new InputError(`${at(reviews)}: no such file; the benchmark needs the real data`);
  }
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

async function measure(
  dataset: string,
  data: string,
  embeddings: string,
  method: (typeof SID_METHODS)[number],
): Promise<Row> {
  const index = join(data, `${method}.index.json`);
  const report = await sidStage({ embeddings, index, method });
  const quality = await sidQualityStage({ index, embeddings, data, dataset, limits: { collision: 0 } });
  const { items, collision, codesUsed, mse, seconds } = report;
  const agrees = quality.collision.raw === collision.raw && close(quality.levels.at(-1)!.mse ?? NaN, mse);
  const { neighbours } = quality.prefixes[0]!;
  return {
    name: `${dataset} ${method}`,
    ours: collision.final,
    peer: null,
    floor: null,
    precision: 'float32',
    peerPrecision: null,
    unit: 'final collisions',
    ratio: null,
    goal: '0, and a quality report that agrees',
    reached: quality.pass && agrees,
    spread: 0,
    note:
      `${items} items, raw collisions ${collision.raw.toFixed(4)}, codes used ${codesUsed.join(', ')}, ` +
      `mse ${mse.toExponential(2)}, neighbours ${neighbours?.toFixed(2)}, ${seconds.toFixed(1)} s`,
  };
}

const close = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-5 * b;
