/** A shop as a data folder with its index, and back. */
import { join } from 'node:path';
import { type Row, type Split, SPLITS } from '../../data/dataset.js';
import { formatInter } from '../../data/inter-file.js';
import { itemPieces } from '../../data/item-file.js';
import { loadDataset } from '../../data/load.js';
import { readIndex, writeIndex } from '../../data/sid-index.js';
import { type Content, writeAllAtomic } from '../../files/files.js';
import type { Shop } from './faults.js';

/** @param name NAME of the files @throws InputError as `loadDataset` and `readIndex` */
export async function loadShop(data: string, index: string, name?: string): Promise<Shop> {
  const dataset = await loadDataset(data, name);
  return { dataset, index: readIndex(index, dataset.items.length) };
}

/** @param train other rows of training than the shop's own @returns the index file */
export function writeShop(data: string, { dataset, index }: Shop, train: readonly Row[] = dataset.train): string {
  const { name } = dataset;
  const rows: Record<Split, readonly Row[]> = { ...dataset, train };
  const files: [string, Content][] = [
    [join(data, `${name}.item.json`), itemPieces(dataset.items)],
    ...SPLITS.map((split): [string, string] => [join(data, `${name}.${split}.inter`), formatInter(rows[split])]),
  ];
  writeAllAtomic(files);
  const file = join(data, `${name}.index.json`);
  writeIndex(file, index);
  return file;
}
