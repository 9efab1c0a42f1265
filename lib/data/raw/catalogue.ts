/** Item texts of any known format -> the shop's catalogue. */
import { gunzipSync } from 'node:zlib';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { InputError } from '../../support/errors.js';
import { parseCsv } from '../csv.js';
import { cleanTitle } from '../filter/title.js';
import { readItemTexts } from '../item-file.js';
import { type ColumnMap, placesOf, type Role } from './columns.js';
import { type RawFormat } from './format-names.js';
import { detectMetadata } from './formats.js';
import type { Interactions } from './interactions.js';
import { type Catalogue, type CatalogueItem, readMetadata, Shelf } from './metadata.js';
import { readParquet } from './parquet.js';

const TEXTS = ['item', 'title', 'description', 'brand', 'categories'] as const satisfies readonly Role[];

/**
 * @param format default told from the file
 * @param columns of `csv` and `parquet`
 * @returns items in the order of the file; an id that comes again is counted, the first stands
 * @throws InputError for a missing file, a line that does not fit: file, line and mend
 */
export async function readCatalogue(path: string, format?: RawFormat, columns: ColumnMap = {}): Promise<Catalogue> {
  const found = format ?? (await detectMetadata(path));
  switch (found) {
    case 'amazon-2014':
    case 'amazon-2018':
    case 'amazon-2023':
      return readMetadata(path);
    case 'movielens':
      return readMovies(path);
    case 'recbole':
    case 'csv':
      return readTable(path, found, columns);
    case 'inter-json':
      return { items: readItemTexts(path).map(([asin, item]) => ({ asin, ...item })), duplicates: 0 };
    case 'parquet':
      return readParquetItems(path, columns);
    default:
      throw found satisfies never;
  }
}

/**
 * A catalogue without texts, for shops that have none: every item that was bought, its title `item NAME`. Whole
 * numbers come in their own order, so that a published index of the same items still fits; other names in the order
 * in which they were first met.
 */
export function placeholderCatalogue({ itemNames }: Interactions): Catalogue {
  const names = itemNames.list();
  if (names.every((name) => /^\d+$/.test(name))) names.sort((a, b) => Number(a) - Number(b));
  const items = names.map((asin) => ({ asin, title: `item ${asin}`, description: '', brand: '', categories: '' }));
  return { items, duplicates: 0 };
}

/** `u.item` (bars; title second, genres as flags), `movies.dat` (double colons) or `movies.csv`. */
function readMovies(path: string): Catalogue {
  const shelf = new Shelf();
  const text = readLatin(path);
  if (text.startsWith('movieId,')) return readTable(path, 'csv', {});
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line === '') continue;
    const cells = line.split(line.includes('::') ? '::' : '|');
    if (cells.length < 2)
      throw new InputError(`${path}:${i + 1}: expected an id and a title, got ${line.slice(0, 60)}`);
    const flags = cells.slice(5).flatMap((flag, genre) => (flag === '1' ? [GENRES[genre] ?? ''] : []));
    const genres = line.includes('::') ? (cells[2] ?? '').split('|') : flags;
    shelf.put(item({ item: cells[0], title: cells[1], categories: genres.join(', ') }, `${path}:${i + 1}`));
  }
  return shelf.catalogue(path);
}

/** Of `u.item`'s flags (MovieLens 100K's u.genre). */
const GENRES = (
  "unknown Action Adventure Animation Children's Comedy Crime Documentary Drama Fantasy Film-Noir Horror Musical " +
  'Mystery Romance Sci-Fi Thriller War Western'
).split(' ');

function readTable(path: string, format: 'recbole' | 'csv', columns: ColumnMap): Catalogue {
  const text = readLatin(path).replace(/^\ufeff/, '');
  const tabs = text.split('\n', 1)[0]!.includes('\t');
  const lines = tabs
    ? text.split(/\r?\n/).map((line, i) => ({ cells: line.split('\t'), line: i + 1 }))
    : parseCsv(text, path);
  const [header, ...records] = lines.filter(({ cells }) => cells.length > 1 || cells[0] !== '');
  const names = (header?.cells ?? []).map((name) => (format === 'recbole' ? name.split(':')[0]! : name));
  const places = placesOf(names, columns, TEXTS, ['item'], `${path}:1`);
  const shelf = new Shelf();
  for (const { cells, line } of records) {
    const of = Object.fromEntries(TEXTS.map((role) => [role, places[role] < 0 ? '' : (cells[places[role]] ?? '')]));
    shelf.put(item(of, `${path}:${line}`));
  }
  return shelf.catalogue(path);
}

async function readParquetItems(path: string, columns: ColumnMap): Promise<Catalogue> {
  const shelf = new Shelf();
  let row = 0;
  for await (const chunk of readParquet(path, columns, TEXTS, ['item'])) {
    for (let i = 0; i < chunk.item!.length; i++) {
      const of = Object.fromEntries(TEXTS.map((role) => [role, chunk[role]?.[i] ?? '']));
      shelf.put(item(of, `${path}: row ${++row}`));
    }
  }
  return shelf.catalogue(path);
}

function item(texts: Partial<Record<Role, string>>, where: string): CatalogueItem {
  const { item: asin = '', title = '', description = '', brand = '', categories = '' } = texts;
  if (!/^\S+$/.test(asin)) {
    throw new InputError(
      `${where}: expected item to be text without spaces, got ${JSON.stringify(asin)}; mend or remove the line`,
    );
  }
  return { asin, title: cleanTitle(title), description, brand, categories };
}

/** A text file, plain or gzip; what is no UTF-8 is Latin-1, as MovieLens writes it. */
function readLatin(path: string): string {
  if (!existsSync(path)) throw new InputError(`${path}: no such file; check the path`);
  if (!statSync(path).isFile()) throw new InputError(`${path}: expected a file, got a folder; check the path`);
  const raw = readFileSync(path);
  const bytes = raw[0] === 0x1f && raw[1] === 0x8b ? gunzipSync(raw) : raw;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('latin1').decode(bytes);
  }
}
