/** Reads a data folder that `filterStage` wrote (or MiniOneRec's own) back into memory, and checks it. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { InputError } from '../support/errors.js';
import type { Dataset } from './dataset.js';
import { readInter } from './inter-file.js';
import { readItems } from './item-file.js';
import { checkParts, readPartsFile } from './join/parts.js';

/**
 * @param name of the files; default the folder's own name or, failing that, the only `*.item.json` in it
 * @throws InputError for what is missing or does not fit: file, line and mend
 */
export async function loadDataset(dir: string, name?: string): Promise<Dataset> {
  const found = name ?? findName(dir);
  const items = readItems(join(dir, `${found}.item.json`));
  const read = (split: string) => readInter(join(dir, `${found}.${split}.inter`), items.length);
  const parts = readPartsFile(dir, found);
  const rows = { train: await read('train'), valid: await read('valid'), test: await read('test') };
  return checkParts({ name: found, dir, items, ...rows, ...(parts && { parts }) });
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
