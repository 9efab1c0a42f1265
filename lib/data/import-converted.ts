/**
 * The way back from MiniOneRec's published files to a data folder, so that its rows and semantic IDs can be trained on as
 * they are: `{train,valid,test}/NAME*.csv`, `info/NAME*.txt`, `index/NAME.{item,index}.json` (its repository's layout), or
 * `NAME*.{train,valid,test}.csv`, `NAME*.info.txt` and the others side by side.
 *
 * Ids, titles and SIDs of every row are compared with those of the catalogue: files of different versions are refused.
 * A split without a file has no rows, and the report says so; without item texts titles are all that items have.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { writeAllAtomic } from '../files/files.js';
import { keepInputs } from '../files/keep-inputs.js';
import { InputError } from '../support/errors.js';
import { type InfoLine, infoTitle, readConverted, type ConvertedRow, readInfo } from './converted-files.js';
import { type Item, type Row, type Split, SPLITS } from './dataset.js';
import { IMPORT_CONVERTED_OPTIONS, type ImportConvertedOptions } from './import-options.js';
import { formatInter } from './inter-file.js';
import { itemPieces, readItems } from './item-file.js';
import { readIndex, type SidIndex } from './sid-index.js';
import { removeStale } from './stale-files.js';

/** What `importConverted` found. */
export interface ImportConvertedReport {
  /** Items of the catalogue. */
  items: number;
  /** Rows. */
  split: Record<Split, number>;
  /** What was not there: splits, and `texts` where items have titles alone. */
  missing: (Split | 'texts')[];
  /** Files that were read. */
  read: string[];
  /** Files that were written. */
  files: string[];
}

/** @throws InputError for a folder without rows or items, and for files that do not fit one another; nothing is written then */
export function importConverted(options: ImportConvertedOptions): ImportConvertedReport {
  const { converted, out, dataset: name } = IMPORT_CONVERTED_OPTIONS.parse(options);
  const files = filesOf(converted, name);
  const { items, index } = catalogueOf(files, converted, name);
  const rows = Object.fromEntries(
    SPLITS.map((split) => {
      const path = files[split];
      return [split, path === undefined ? [] : readConverted(path).map((row, i) => checkedRow(row, items, index, `${path}: row ${i + 1}`))]; // prettier-ignore
    }),
  ) as Record<Split, Row[]>;
  if (SPLITS.every((split) => files[split] === undefined)) {
    throw new InputError(`${converted}: expected a file of rows such as test/${name}*.csv, got none; check --dataset`);
  }
  const at = (suffix: string): string => join(out, `${name}.${suffix}`);
  const written: [string, string | Iterable<string>][] = [
    [at('item.json'), itemPieces(items)],
    [at('index.json'), `${JSON.stringify({ ...index })}\n`],
    ...SPLITS.map((split): [string, string] => [at(`${split}.inter`), formatInter(rows[split])]),
  ];
  const paths = written.map(([path]) => path);
  const read = Object.values(files).filter((path) => path !== undefined);
  keepInputs('import', read, paths, 'name another --out');
  writeAllAtomic(written);
  removeStale(out, name, paths);
  return {
    items: items.length,
    split: { train: rows.train.length, valid: rows.valid.length, test: rows.test.length },
    missing: [
      ...SPLITS.filter((split) => files[split] === undefined),
      ...(files.items === undefined ? (['texts'] as const) : []),
    ],
    read,
    files: paths,
  };
}

type Kind = Split | 'info' | 'items' | 'index';

/** One file a kind; of several that fit the one that is first by name. */
function filesOf(folder: string, name: string): Partial<Record<Kind, string>> {
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new InputError(`${folder}: no such folder; check --converted`);
  const inside = (part: string): string[] => {
    const path = join(folder, part);
    return existsSync(path) && statSync(path).isDirectory()
      ? readdirSync(path)
          .sort()
          .map((file) => join(part, file))
      : [];
  };
  const all = ['', 'train', 'valid', 'test', 'info', 'index'].flatMap((part) =>
    part === '' ? readdirSync(folder).sort() : inside(part),
  );
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const find = (pattern: string): string | undefined => {
    const found = all.find((file) => new RegExp(`^${pattern}$`).test(file));
    return found === undefined ? undefined : join(folder, found);
  };
  const own = `${escaped}[^/]*`;
  const kinds: Partial<Record<Kind, string | undefined>> = {
    ...Object.fromEntries(
      SPLITS.map((split) => [split, find(`${split}/${own}\\.csv`) ?? find(`${own}\\.${split}\\.csv`)]),
    ),
    info: find(`info/${own}\\.txt`) ?? find(`${own}\\.info\\.txt`),
    items: find(`(index/)?${escaped}\\.item\\.json`),
    index: find(`(index/)?${escaped}\\.index\\.json`),
  };
  return Object.fromEntries(Object.entries(kinds).filter(([, path]) => path !== undefined)) as Partial<
    Record<Kind, string>
  >;
}

function catalogueOf(
  files: Partial<Record<Kind, string>>,
  folder: string,
  name: string,
): { items: Item[]; index: SidIndex } {
  const info = files.info === undefined ? undefined : sortedInfo(readInfo(files.info), files.info);
  if (files.items === undefined && info === undefined) {
    throw new InputError(`${folder}: expected ${name}.item.json or info/${name}*.txt, got neither; check --dataset`);
  }
  const items = files.items === undefined ? info!.map(({ title }) => titled(title)) : readItems(files.items);
  if (files.index === undefined && info === undefined) {
    throw new InputError(`${folder}: expected ${name}.index.json or info/${name}*.txt, got neither; check --dataset`);
  }
  const index =
    files.index === undefined
      ? info!.map(({ sid }) => tokensOf(sid, files.info!))
      : readIndex(files.index, items.length);
  for (const { item, title, sid } of info ?? []) {
    const own = items[item];
    const differs = own === undefined || infoTitle(own.title) !== title || index[item]?.join('') !== sid;
    if (differs) throw new InputError(`${files.info!}: item ${item} is ${sid} ${title}, elsewhere ${index[item]?.join('') ?? 'none'} ${items[item]?.title ?? ''}; take files of one version`); // prettier-ignore
  }
  return { items, index };
}

function sortedInfo(lines: InfoLine[], path: string): InfoLine[] {
  const sorted = [...lines].sort((a, b) => a.item - b.item);
  const hole = sorted.findIndex(({ item }, id) => item !== id);
  if (hole >= 0)
    throw new InputError(`${path}: expected ids 0 to ${lines.length - 1}, each once, got ${sorted[hole]!.item}`);
  return sorted;
}

const titled = (title: string): Item => ({ title, description: '', brand: '', categories: '' });

function tokensOf(sid: string, path: string): string[] {
  const tokens = sid.match(/<[^<>]+>/g) ?? [];
  if (tokens.length > 0 && tokens.join('') === sid) return tokens;
  throw new InputError(`${path}: expected a SID such as <a_1><b_2>, got ${sid}`);
}

/** Whether two titles are one: where the info file is the catalogue, it has them on one line. */
function same(a: string | undefined, b: string | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && infoTitle(a) === infoTitle(b));
}

function checkedRow(row: ConvertedRow, items: readonly Item[], index: SidIndex, where: string): Row {
  const { user, history, target, historyTitles, historySids, title, sid } = row;
  if (!/^[^\s\p{Cs}]+$/u.test(user))
    throw new InputError(`${where}: expected a user without spaces, got ${JSON.stringify(user)}`);
  if (history.length !== historyTitles.length || history.length !== historySids.length || history.length === 0) {
    throw new InputError(`${where}: expected as many titles and SIDs as items in the history, at least one`);
  }
  [...history, target].forEach((id, i) => {
    const said = [i < history.length ? historyTitles[i] : title, i < history.length ? historySids[i] : sid];
    const known = [items[id]?.title, index[id]?.join('')];
    if (same(said[0], known[0]) && said[1] === known[1]) return;
    throw new InputError(`${where}: item ${id} is ${String(said[1])} ${String(said[0])}, in the catalogue ${String(known[1])} ${String(known[0])}; take files of one version`); // prettier-ignore
  });
  return { user, history, target };
}
