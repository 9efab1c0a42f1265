/** Raw review files of any known format -> columns. */
import { readText } from '../../files/files.js';
import { InputError } from '../../support/errors.js';
import { parseCsv } from '../csv.js';
import { readBlocks, readHead } from './blocks.js';
import { type ColumnMap, placesOf } from './columns.js';
import { DelimitedScanner, type Places } from './delimited.js';
import { type RawFormat } from './format-names.js';
import { detectReviews } from './formats.js';
import { type Interactions, InteractionsBuilder } from './interactions.js';
import type { ReviewFields } from './reviews.js';
import { readParquetInteractions } from './parquet.js';
import { readJsonLines } from './read-json-lines.js';

/** Reviews of 2014 and of 2018. */
const AMAZON_2018: ReviewFields = {
  user: 'reviewerID',
  item: 'asin',
  time: 'unixReviewTime',
  stars: 'overall',
  perSecond: 1,
};

/** The item is the product (`parent_asin`), which metadata are kept by, not its variant (`asin`). */
const AMAZON_2023: ReviewFields = {
  user: 'user_id',
  item: 'parent_asin',
  time: 'timestamp',
  stars: 'rating',
  perSecond: 1000,
};

export interface ReadOptions {
  /** Default: told from the file. */
  format?: RawFormat;
  /** Of `csv` and `parquet`: which column is what; usual names need no map. */
  columns?: ColumnMap;
}

/**
 * @returns interactions in the order of the file
 * @throws InputError for a missing or damaged file, a broken line, a missing field: file, line and mend
 */
export async function readInteractions(path: string, options: ReadOptions = {}): Promise<Interactions> {
  const { format = await detectReviews(path), columns = {} } = options;
  const data = await read(path, format, columns);
  if (data.length === 0) throw new InputError(`${path}: expected reviews, got an empty file; check the path`);
  return data;
}

async function read(path: string, format: RawFormat, columns: ColumnMap): Promise<Interactions> {
  switch (format) {
    case 'amazon-2014':
    case 'amazon-2018':
      return readJsonLines(path, AMAZON_2018);
    case 'amazon-2023':
      return readJsonLines(path, AMAZON_2023);
    case 'movielens':
    case 'recbole':
    case 'csv':
      return readDelimited(path, format, columns);
    case 'inter-json':
      return readInterJson(path);
    case 'parquet':
      return readParquetInteractions(path, columns);
    default:
      throw format satisfies never;
  }
}

async function readDelimited(path: string, format: 'movielens' | 'recbole' | 'csv', columns: ColumnMap) {
  const builder = new InteractionsBuilder();
  const { delimiter, places, header } = layout(await firstLine(path), format, columns, path);
  builder.timed = places.time >= 0;
  const scanner = new DelimitedScanner(builder, path, delimiter, places, header ? 1 : 0);
  for await (const block of readBlocks(path, () => scanner.lines)) scanner.scan(block);
  scanner.end();
  return builder.done();
}

function layout(
  line: string,
  format: 'movielens' | 'recbole' | 'csv',
  columns: ColumnMap,
  path: string,
): { delimiter: string; places: Places; header: boolean } {
  if (format === 'movielens' && !line.includes(',')) {
    // `::` is two one-byte delimiters with nothing between.
    const [delimiter, step] = line.includes('::') ? [':', 2] : ['\t', 1];
    return { delimiter, places: { user: 0, item: step, stars: 2 * step, time: 3 * step }, header: false };
  }
  const delimiter = line.includes('\t') ? '\t' : ',';
  const cells = parseCsv(line.replaceAll(delimiter, ','), path)[0]?.cells ?? [];
  const names = format === 'recbole' ? cells.map((name) => name.split(':')[0]!) : cells;
  // Places instead of names say that there is no header.
  const header = !Object.values(columns).some((column) => typeof column === 'number');
  return {
    delimiter,
    places: placesOf(names, columns, ['user', 'item', 'time', 'stars'], ['user', 'item'], `${path}:1`),
    header,
  };
}

async function firstLine(path: string): Promise<string> {
  return (await readHead(path))
    .replace(/^\ufeff/, '')
    .split('\n', 1)[0]!
    .replace(/\r$/, '');
}

/** `{user: [items, oldest first]}`: an order, no times. */
function readInterJson(path: string): Interactions {
  const wrong = (got: unknown): InputError =>
    new InputError(`${path}: expected {user: [items in order]}, got ${JSON.stringify(got)?.slice(0, 60)}`);
  let value: unknown;
  try {
    value = JSON.parse(readText(path));
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${path}: not valid JSON (${(error as Error).message}); fetch it again`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(value);
  const builder = new InteractionsBuilder();
  builder.timed = false;
  for (const [user, items] of Object.entries(value)) {
    if (!Array.isArray(items)) throw wrong({ [user]: items as unknown });
    if (!/^\S+$/.test(user)) throw wrong({ [user]: items });
    const number = builder.userNames.id(user);
    for (const item of items as unknown[]) {
      if (!(typeof item === 'number' || typeof item === 'string') || !/^\S+$/.test(String(item))) throw wrong(item);
      builder.add(number, builder.itemNames.id(String(item)), builder.length, 0);
    }
  }
  return builder.done();
}
