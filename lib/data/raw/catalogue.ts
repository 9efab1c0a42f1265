/** Item texts of any known format -> the data set's catalogue. */
import { isUtf8 } from 'node:buffer';
import { decodeText, type Encoding } from '../../files/encoding.js';
import { inputFiles } from '../../files/input-files.js';
import { readBytes } from '../../files/whole-file.js';
import { readBlocks, readHead } from '../../files/text-blocks.js';
import { InputError } from '../../support/errors.js';
import { readItemTexts } from '../item-file.js';
import { checkNoColumns, type ColumnMap, type Role } from './columns.js';
import { type RawFormat } from './format-names.js';
import { detectMetadata } from './formats.js';
import type { Interactions } from './interactions.js';
import { itemOfRecord, keptFields, type TextRole } from './item-record.js';
import { readMetadata } from './metadata.js';
import { readParquet } from './parquet.js';
import { cellsOf, RecordScanner } from './records.js';
import { type Catalogue, type ItemSink, Shelf } from './shelf.js';
import { tableLayout } from './table-layout.js';

const ITEM_ROLES = ['item', 'title', 'description', 'brand', 'categories'] as const satisfies readonly Role[];

/** How an item file is read. */
export interface CatalogueOptions {
  /** Default UTF-8 or UTF-16, detected; MovieLens' own files may be Latin-1. */
  encoding?: Encoding;
  /** Whether `columns` was made for the interactions too: its places then count only without a header. Default false. */
  shared?: boolean;
  /** Other fields that are kept, of JSON. Default: of `NAME.item.json` all, else none. */
  keepFields?: readonly string[];
}

/**
 * @param path of a file, of a folder of files, or a pattern such as `part-*.json.gz` (`inputFiles`)
 * @param format default detected
 * @param columns of `csv` and `parquet`
 * @returns items in the order of the files; an id that comes again is counted, the first is kept
 * @throws InputError for a missing file, a line that does not fit: file, line and mend
 */
export async function readCatalogue(
  path: string,
  format?: RawFormat,
  columns: ColumnMap = {},
  options: CatalogueOptions = {},
): Promise<Catalogue> {
  const shelf = new Shelf();
  const found = await readItemsInto(shelf, path, format, columns, options);
  return { ...shelf.catalogue(path), format: found };
}

/** Likewise, into a sink of one's own. @returns the format */
export async function readItemsInto(
  into: ItemSink,
  path: string,
  format?: RawFormat,
  columns: ColumnMap = {},
  options: CatalogueOptions = {},
): Promise<RawFormat> {
  const found = format ?? (await detectMetadata(path, options.encoding));
  if (options.keepFields && !/^amazon|^inter-json$|^movielens$/.test(found)) {
    throw new InputError(`${path}: expected JSON item texts for --keep-fields, got ${found}; leave it out`);
  }
  if (!options.shared && /^amazon|^inter-json$|^movielens$/.test(found)) {
    checkNoColumns(columns, path, found, 'leave the columns of the item texts out');
  }
  const files = inputFiles(path);
  for (const file of files) {
    if (files.length > 1 && (await readHead(file, options.encoding)) === '') continue; // a part without rows
    await read(file, found, columns, options, into);
  }
  return found;
}

async function read(
  path: string,
  format: RawFormat,
  columns: ColumnMap,
  options: CatalogueOptions,
  into: ItemSink,
): Promise<void> {
  switch (format) {
    case 'amazon-2014':
    case 'amazon-2018':
    case 'amazon-2023':
      return readMetadata(path, into, options.encoding, options.keepFields);
    case 'movielens':
      return readMovies(path, options, into);
    case 'recbole':
    case 'csv':
      return readTable(path, format, columns, options, into);
    case 'inter-json':
      return readPublished(path, into, options.encoding, options.keepFields);
    case 'parquet':
      return readParquetItems(path, columns, into);
    default:
      throw format satisfies never;
  }
}

/**
 * A catalogue without texts, for data sets that have none: every item that was bought, its title `item NAME`. Whole
 * numbers come in their own order, so that a published index of the same items still fits; other names in the order
 * in which they were first met.
 */
export function placeholderCatalogue({ itemNames }: Pick<Interactions, 'itemNames'>): Catalogue {
  const names = itemNames.list();
  if (names.every((name) => /^\d+$/.test(name))) names.sort(bySize);
  const items = names.map((asin) => ({ asin, title: `item ${asin}`, description: '', brand: '', categories: '' }));
  return { items, duplicates: 0 };
}

/** Digits of whole numbers of any length, by size. */
function bySize(a: string, b: string): number {
  const [one, two] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  return one.length - two.length || Number(one > two) - Number(one < two);
}

/** `NAME.item.json`. */
function readPublished(path: string, into: ItemSink, encoding?: Encoding, keepFields?: readonly string[]): void {
  for (const [asin, { extra, ...texts }] of readItemTexts(path, undefined, encoding)) {
    into.put({ asin, ...texts, ...keptFields(extra ?? {}, keepFields ?? Object.keys(extra ?? {})) });
  }
}

/** `u.item` (bars; title second, genres as flags), `movies.dat` (double colons) or `movies.csv`. */
async function readMovies(path: string, options: CatalogueOptions, into: ItemSink): Promise<void> {
  const text = readMovieText(path, options.encoding);
  if (text.startsWith('movieId,')) return readTable(path, 'csv', {}, options, into);
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line === '') continue;
    const cells = line.split(line.includes('::') ? '::' : '|');
    const where = `${path}:${i + 1}`;
    if (cells.length < 2) throw new InputError(`${where}: expected an id and a title, got ${line.slice(0, 60)}`);
    const flags = cells.slice(5).flatMap((flag, genre) => (flag === '1' ? [GENRES[genre]] : []));
    const genres = line.includes('::') ? (cells[2] ?? '').split('|') : flags;
    const texts: Partial<Record<TextRole, unknown>> = { title: cells[1], categories: genres };
    into.put(itemOfRecord(cells[0], (role) => [texts[role]], where));
  }
}

/** MovieLens wrote its first files in Latin-1, the later ones in UTF-8. */
function readMovieText(path: string, encoding?: Encoding): string {
  const bytes = readBytes(path);
  return decodeText(bytes, path, encoding ?? (isUtf8(bytes) ? undefined : 'latin1'));
}

/** Of `u.item`'s flags (MovieLens 100K's u.genre). */
const GENRES = (
  "unknown Action Adventure Animation Children's Comedy Crime Documentary Drama Fantasy Film-Noir Horror Musical " +
  'Mystery Romance Sci-Fi Thriller War Western'
).split(' ');

async function readTable(
  path: string,
  format: 'recbole' | 'csv',
  columns: ColumnMap,
  { encoding, shared = false }: CatalogueOptions,
  into: ItemSink,
): Promise<void> {
  const head = await readHead(path, encoding);
  const needs = { format, columns, roles: ITEM_ROLES, needed: ['item'], shared } as const;
  const { delimiter, places, header } = tableLayout(head, path, needs);
  let skip = header ? 1 : 0;
  const scanner = new RecordScanner(path, delimiter, (bytes, starts, count, line) => {
    if (skip-- > 0) return;
    const cells = cellsOf(bytes, starts, count);
    into.put(itemOfRecord(cells[places.item[0]!], (role) => places[role].map((at) => cells[at]), `${path}:${line}`));
  });
  for await (const block of readBlocks(path, () => scanner.lines, encoding)) scanner.scan(block);
  scanner.end();
}

async function readParquetItems(path: string, columns: ColumnMap, into: ItemSink): Promise<void> {
  let row = 0;
  for await (const chunk of readParquet(path, columns, ITEM_ROLES, ['item'])) {
    const [names] = chunk.item;
    for (let i = 0; i < names!.length; i++) {
      into.put(itemOfRecord(names![i], (role) => chunk[role].map((values) => values[i]), `${path}: row ${++row}`));
    }
  }
}
