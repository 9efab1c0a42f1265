/** The `i2i` stage: several encoders' vectors measured against what users buy together. */
import { basename } from 'node:path';
import { loadDataset } from '../../data/load.js';
import { ensureEngine } from '../../engine/engine.js';
import { readNpy } from '../../files/npy.js';
import { InputError } from '../../support/errors.js';
import { mostFrequentNeighbours } from './co-occurrence.js';
import { I2I_OPTIONS, type I2iOptions } from './i2i-options.js';
import { itemToItem } from './item-to-item.js';

/** A row of the comparison. */
export interface I2iRow {
  /** Of the file: `NAME.emb-ENCODER.npy` is ENCODER. */
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
  const report: I2iReport = { rows: [], ranks: {} };
  for (const file of embeddings) {
    const vectors = readNpy(file, 'run sidlab embed first');
    if (vectors.rows !== dataset.items.length) {
      throw new InputError(`${file}: expected ${dataset.items.length} rows, one an item, got ${vectors.rows}; embed the same data`); // prettier-ignore
    }
    const encoder = encoderOf(file);
    const { items, hits, mrr, medianRank, ranks } = itemToItem(vectors, truth);
    report.rows.push({ encoder, items, ...hits, MRR: mrr, medianRank });
    report.ranks[encoder] = ranks;
  }
  return report;
}

function encoderOf(file: string): string {
  return /\.emb-(.+)\.npy$/.exec(basename(file))?.[1] ?? basename(file, '.npy');
}
