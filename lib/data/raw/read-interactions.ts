/** Raw review files of any known format -> columns. */
import type { Encoding } from '../../files/encoding.js';
import { readBlocks, readHead } from '../../files/text-blocks.js';
import { InputError } from '../../support/errors.js';
import { readMembers } from '../object-file.js';
import { type ColumnMap } from './columns.js';
import { DelimitedScanner, type Places } from './delimited.js';
import { type RawFormat } from './format-names.js';
import { detectReviews } from './formats.js';
import { type Interactions, InteractionsBuilder } from './interactions.js';
import { readParquetInteractions } from './parquet.js';
import { readJsonLines } from './read-json-lines.js';
import { REVIEW_FIELDS } from './reviews.js';
import { tableLayout } from './table-layout.js';
import { nameOf, shown } from './values.js';

/** How a file of interactions is read. */
export interface ReadOptions {
  /** Default: detected. */
  format?: RawFormat;
  /** Of `csv` and `parquet`: which column is what; usual names need no map. */
  columns?: ColumnMap;
  /** A label of the WHATWG Encoding Standard, such as `latin1` or `gbk`. Default UTF-8 or UTF-16, detected. */
  encoding?: Encoding;
}

/**
 * @returns interactions in the order of the file
 * @throws InputError for a missing or damaged file, a broken line, a missing field: file, line and mend
 */
export async function readInteractions(path: string, options: ReadOptions = {}): Promise<Interactions> {
  const { encoding, format = await detectReviews(path, encoding), columns = {} } = options;
  const data = await read(path, format, columns, encoding);
  if (data.length === 0) throw new InputError(`${path}: expected reviews, got an empty file; check the path`);
  return { ...data, format };
}

async function read(path: string, format: RawFormat, columns: ColumnMap, encoding?: Encoding): Promise<Interactions> {
  switch (format) {
    case 'amazon-2014':
    case 'amazon-2018':
    case 'amazon-2023':
      return readJsonLines(path, REVIEW_FIELDS[format], undefined, encoding);
    case 'movielens':
    case 'recbole':
    case 'csv':
      return readDelimited(path, format, columns, encoding);
    case 'inter-json':
      return readInterJson(path, encoding);
    case 'parquet':
      return readParquetInteractions(path, columns);
    default:
      throw format satisfies never;
  }
}

async function readDelimited(
  path: string,
  format: 'movielens' | 'recbole' | 'csv',
  columns: ColumnMap,
  encoding?: Encoding,
): Promise<Interactions> {
  const builder = new InteractionsBuilder();
  const { delimiter, places, header } = layout(await readHead(path, encoding), format, columns, path);
  builder.timed = places.time >= 0;
  const scanner = new DelimitedScanner(builder, path, delimiter, places, header ? 1 : 0);
  for await (const block of readBlocks(path, () => scanner.lines, encoding)) scanner.scan(block);
  scanner.end();
  return builder.done();
}

function layout(
  head: string,
  format: 'movielens' | 'recbole' | 'csv',
  columns: ColumnMap,
  path: string,
): { delimiter: string; places: Places; header: boolean } {
  const line = head.split('\n', 1)[0]!;
  if (format === 'movielens' && !line.includes(',')) {
    // `::` is two one-byte delimiters with nothing between.
    const [delimiter, step] = line.includes('::') ? [':', 2] : ['\t', 1];
    return { delimiter, places: { user: 0, item: step, stars: 2 * step, time: 3 * step }, header: false };
  }
  const roles = ['user', 'item', 'time', 'stars'] as const;
  const needed = ['user', 'item'] as const;
  const table = tableLayout(head, path, { format: format === 'recbole' ? format : 'csv', columns, roles, needed });
  const [user, item, time, stars] = roles.map((role) => table.places[role][0] ?? -1) as [
    number,
    number,
    number,
    number,
  ];
  return { ...table, places: { user, item, time, stars } };
}

/** `{user: [items, oldest first]}`: an order, no times. */
function readInterJson(path: string, encoding?: Encoding): Interactions {
  const wrong = (got: unknown): InputError =>
    new InputError(`${path}: expected {user: [items in order]}, got ${shown(got)}; write the file anew`);
  const builder = new InteractionsBuilder();
  builder.timed = false;
  for (const { key, value } of readMembers(path, undefined, encoding)) {
    const user = nameOf(key);
    if (user === undefined || !Array.isArray(value)) throw wrong({ [key]: value });
    const number = builder.userNames.id(user);
    for (const name of value as unknown[]) {
      const item = nameOf(name);
      if (item === undefined) throw wrong({ [key]: [name] });
      builder.add(number, builder.itemNames.id(item), builder.length, 0);
    }
  }
  return builder.done();
}
