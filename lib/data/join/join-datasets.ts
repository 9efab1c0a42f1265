/**
 * Several data folders as one, so that one tokenizer and one model are made of all of them (GRec's `--dataset a,b,c`):
 * items and rows behind one another, in the order in which the folders are named.
 *
 * Ids are kept apart: item 0 of the second data set comes after the last of the first, and users have the data set's name
 * before theirs. `evaluate` and `baseline` rank each row among the items of its own data set.
 *
 * Departure: GRec gives every data set an index of its own over the same codes, so that items of different data sets can
 * share a SID; here one tokenizer sees all items.
 */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { hashFile, readText, writeAllAtomic, type Content } from '../../files/files.js';
import { keepInputs } from '../../files/keep-inputs.js';
import { InputError } from '../../support/errors.js';
import { type Dataset, type Row, type Split, SPLITS } from '../dataset.js';
import { formatInter } from '../inter-file.js';
import { itemPieces } from '../item-file.js';
import { loadDataset } from '../load.js';
import { TIMED_SPLITS, timesFile } from '../row-times.js';
import { JOIN_OPTIONS, type JoinOptions } from './join-options.js';
import { removeStale, statsFile } from '../stale-files.js';
import type { Part } from './part.js';
import { ALL_PARTS, joinedUser, partsFile } from './parts.js';

/** What `joinDatasets` wrote. */
export interface JoinReport {
  items: number;
  /** Rows. */
  split: Record<Split, number>;
  parts: Part[];
  /** Files that were written. */
  files: string[];
}

/** @throws InputError for a folder that is missing or damaged, and for two data sets of one name; nothing is written then */
export async function joinDatasets(options: JoinOptions): Promise<JoinReport> {
  const { data, out, dataset: name } = JOIN_OPTIONS.parse(options);
  const sets: Dataset[] = [];
  for (const folder of data) sets.push(await loadDataset(folder));
  checkNames(sets, data);
  const items = sets.flatMap((set) => set.items);
  const rows = Object.fromEntries(SPLITS.map((split) => [split, joinedRows(sets, split)])) as Record<Split, Row[]>;
  const split = { train: rows.train.length, valid: rows.valid.length, test: rows.test.length };
  const users = new Set(SPLITS.flatMap((of) => rows[of].map(({ user }) => user))).size;
  const parts = sets.map(partOf);
  const at = (suffix: string): string => join(out, `${name}.${suffix}`);
  const files: [string, Content][] = [
    [at('item.json'), itemPieces(items)],
    ...SPLITS.map((of): [string, string] => [at(`${of}.inter`), formatInter(rows[of])]),
    ...joinedTimes(sets, out, name),
    [statsFile(out, name), `${JSON.stringify({ users, items: items.length, split }, null, 2)}\n`],
    [partsFile(out, name), `${JSON.stringify(parts, null, 2)}\n`],
  ];
  const paths = files.map(([path]) => path);
  keepInputs('join', sets.flatMap(filesOf), paths, 'name another --out or --dataset');
  writeAllAtomic(files);
  removeStale(out, name, paths);
  return { items: items.length, split, parts, files: paths };
}

/** The files that are written always. */
export function joinOutputs(out: string, dataset: string): string[] {
  const suffixes = ['item.json', ...SPLITS.map((split) => `${split}.inter`), 'stats.json'];
  return [...suffixes.map((suffix) => join(out, `${dataset}.${suffix}`)), partsFile(out, dataset)];
}

function checkNames(sets: readonly Dataset[], folders: readonly string[]): void {
  for (const [i, { name, parts }] of sets.entries()) {
    const same = sets.findIndex((other) => other.name === name);
    if (same < i) throw new InputError(`join: expected a name for each data set, got ${name} in ${folders[same]!} and in ${folders[i]!}; give one of them another NAME`); // prettier-ignore
    if (parts) throw new InputError(`join: ${folders[i]!} joins data sets already; name their folders instead`);
    if (name === ALL_PARTS) throw new InputError(`join: a data set cannot be called ${ALL_PARTS}; give it another NAME`); // prettier-ignore
  }
}

function joinedRows(sets: readonly Dataset[], split: Split): Row[] {
  let first = 0;
  return sets.flatMap(({ name, items, [split]: rows }) => {
    const from = first;
    first += items.length;
    return rows.map(({ user, history, target }) => ({
      user: joinedUser(name, user),
      history: history.map((id) => id + from),
      target: target + from,
    }));
  });
}

/** Times of a split's rows, where every data set has them. */
function joinedTimes(sets: readonly Dataset[], out: string, name: string): [string, Content][] {
  return TIMED_SPLITS.flatMap((split): [string, Content][] => {
    const files = sets.map((set) => timesFile(set.dir, set.name, split));
    return files.every((file) => existsSync(file))
      ? [[timesFile(out, name, split), files.map((file) => readText(file))]]
      : [];
  });
}

function partOf(set: Dataset): Part {
  const { name, items, train, valid, test } = set;
  return {
    name,
    items: items.length,
    rows: { train: train.length, valid: valid.length, test: test.length },
    sources: Object.fromEntries(filesOf(set).map((path) => [basename(path), hashFile(path)])),
  };
}

function filesOf({ dir, name }: Dataset): string[] {
  return ['item.json', ...SPLITS.map((split) => `${split}.inter`)].map((suffix) => join(dir, `${name}.${suffix}`));
}
