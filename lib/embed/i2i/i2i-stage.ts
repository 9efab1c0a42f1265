/** The `i2i` stage: several encoders' vectors measured against what users buy together. */
import { basename } from 'node:path';
import { loadDataset } from '../../data/load.js';
import { ensureEngine } from '../../engine/engine.js';
import { readItemVectors } from '../../files/finite.js';
import { InputError } from '../../support/errors.js';
import { mostFrequentNeighbours } from './co-occurrence.js';
import { I2I_OPTIONS, type I2iOptions } from './i2i-options.js';
import { itemToItem } from './item-to-item.js';

/** A row of the comparison. */
export interface I2iRow {
  /** Of the file: `NAME.emb-ENCODER.npy` is ENCODER; its path where two files would have one name. */
  encoder: string;
  /** Items with a neighbour. */
  items: number;
  /** `Hit@1`, `Hit@5`, `Hit@10`, `Hit@50`. */
  [hit: `Hit@${number}`]: number;
  /** Mean of 1 / rank. */
  MRR: number;
  /** Of the neighbour. */
  medianRank: number;
}

/** What `i2iStage` gives back. */
export interface I2iReport {
  /** One an encoder, in the order given. */
  rows: I2iRow[];
  /** Rank of each item's neighbour, by encoder. */
  ranks: Record<string, number[]>;
}

/** @throws InputError for a file that is missing or has other items */
export async function i2iStage(options: I2iOptions): Promise<I2iReport> {
  const { data, dataset: name, embeddings, window, atLeast } = I2I_OPTIONS.parse(options);
  await ensureEngine();
  const dataset = await loadDataset(data, name);
  const truth = mostFrequentNeighbours(dataset.train, { window, atLeast });
  const names = encoderNames(embeddings);
  const report: I2iReport = { rows: [], ranks: {} };
  for (const file of embeddings) {
    const vectors = readItemVectors(file, dataset.items.length, 'run sidlab embed first');
    const encoder = names.get(file)!;
    const { items, hits, mrr, medianRank, ranks } = itemToItem(vectors, truth);
    report.rows.push({ encoder, items, ...hits, MRR: mrr, medianRank });
    report.ranks[encoder] = ranks;
  }
  return report;
}

/** A name of its own for each file: ranks and figures go by it. @throws InputError for a file that is named twice */
function encoderNames(files: readonly string[]): Map<string, string> {
  const short = files.map(encoderOf);
  const names = files.map((file, i) => {
    const shared = short.some((name, other) => other !== i && name === short[i]);
    return shared ? file.replace(/\.npy$/, '').replace(/[\\/]+/g, '-') : short[i]!;
  });
  const twice = names.findIndex((name, i) => names.indexOf(name) < i);
  if (twice >= 0) throw new InputError(`i2i: expected each file of --embeddings once, got ${files[twice]!} again; leave it out`); // prettier-ignore
  return new Map(files.map((file, i) => [file, names[i]!]));
}

function encoderOf(file: string): string {
  return /\.emb-(.+)\.npy$/.exec(basename(file))?.[1] ?? basename(file, '.npy');
}
