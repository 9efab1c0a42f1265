/** Reads a data folder that `filterStage` wrote (or MiniOneRec's own) back into memory, and checks it. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { isPlainText } from '../files/line-pieces.js';
import { InputError } from '../support/errors.js';
import type { Dataset } from './dataset.js';
import { readInter } from './inter-file.js';
import { readItems } from './item-file.js';
import { checkParts, readPartsFile } from './join/parts.js';
import { rowsOnDisk } from './row-file.js';

/** How `loadDataset` holds what it reads. */
export interface LoadOptions {
  /**
   * Bytes of a file of training rows beyond which memory holds the places of the rows alone (`rowsOnDisk`), for a caller
   * that asks for rows one by one. Default: all rows in memory.
   */
  rowsInMemory?: number;
}

/**
 * @param name of the files; default the folder's own name or, failing that, the only `*.item.json` in it
 * @throws InputError for what is missing or does not fit: file, line and mend
 */
export async function loadDataset(
  dir: string,
  name?: string,
  { rowsInMemory = Infinity }: LoadOptions = {},
): Promise<Dataset> {
  const found = name ?? findName(dir);
  const items = readItems(join(dir, `${found}.item.json`));
  const fileOf = (split: string): string => join(dir, `${found}.${split}.inter`);
  const read = (split: string) => readInter(fileOf(split), items.length);
  const train = isLarge(fileOf('train'), rowsInMemory)
    ? rowsOnDisk(fileOf('train'), items.length)
    : await read('train');
  const parts = readPartsFile(dir, found);
  const rows = { train, valid: await read('valid'), test: await read('test') };
  return checkParts({ name: found, dir, items, ...rows, ...(parts && { parts }) });
}

function isLarge(file: string, bytes: number): boolean {
  return bytes !== Infinity && existsSync(file) && statSync(file).size > bytes && isPlainText(file);
}

/** The name of a folder's data set. @throws InputError if there is none or more than one to choose from */
export function findName(dir: string): string {
  if (!existsSync(dir)) throw new InputError(`${dir}: no such folder; run sidlab filter --out ${dir} first`);
  const suffix = '.item.json';
  const names = readdirSync(dir).filter((file) => file.endsWith(suffix));
  const stems = names.map((file) => file.slice(0, -suffix.length)).sort();
  const own = basename(resolve(dir));
  if (stems.includes(own)) return own;
  if (stems.length === 1) return stems[0]!;
  if (stems.length === 0) throw new InputError(`${dir}: no *${suffix} in it; run sidlab filter --out ${dir} first`);
  throw new InputError(`${dir}: holds ${stems.join(', ')}; name one with --dataset`);
}

/** Where a data set's index is, if nobody says otherwise: `NAME.index.json` in its folder. */
export function indexOf({ dir, name }: Pick<Dataset, 'dir' | 'name'>): string {
  return join(dir, `${name}.index.json`);
}
