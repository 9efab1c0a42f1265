/** Raw review files of any known format -> columns. */
import type { Encoding } from '../../files/encoding.js';
import { inputFiles } from '../../files/input-files.js';
import { readBlocks, readHead } from '../../files/text-blocks.js';
import { InputError } from '../../support/errors.js';
import { readMembers } from '../object-file.js';
import { checkNoColumns, type ColumnMap } from './columns.js';
import { DelimitedScanner, type Places } from './delimited.js';
import { type RawFormat } from './format-names.js';
import { detectReviews } from './formats.js';
import { type InteractionSink, type Interactions, InteractionsBuilder } from './interactions.js';
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
 * @param path of a file, of a folder of files, or a pattern such as `part-*.json.gz` (`inputFiles`)
 * @returns interactions in the order of the files
 * @throws InputError for a missing or damaged file, a broken line, a missing field: file, line and mend
 */
export async function readInteractions(path: string, options: ReadOptions = {}): Promise<Interactions> {
  const builder = new InteractionsBuilder();
  const format = await readInteractionsInto(builder, path, options);
  return { ...builder.done(), format };
}

/** Likewise, into a sink of one's own. @returns the format */
export async function readInteractionsInto(
  into: InteractionSink,
  path: string,
  options: ReadOptions = {},
): Promise<RawFormat> {
  const { encoding, format = await detectReviews(path, encoding), columns = {} } = options;
  let timed: boolean | undefined;
  const files = inputFiles(path);
  for (const file of files) {
    const before = into.length;
    if (files.length === 1 || !(await isEmpty(file, encoding))) await read(file, format, columns, into, encoding);
    if (into.length === before) continue;
    timed ??= into.timed;
    if (timed === into.timed) continue;
    const [expected, got] = timed ? ['times, as the files before it have', 'none'] : ['no times', 'some'];
    throw new InputError(`${file}: expected ${expected}, got ${got}; name the column with --columns time=NAME`);
  }
  if (into.length === 0) throw new InputError(`${path}: expected reviews, got an empty file; check the path`);
  into.timed = timed!;
  return format;
}

/** A part without rows may have no header either. */
async function isEmpty(file: string, encoding?: Encoding): Promise<boolean> {
  return (await readHead(file, encoding)) === '';
}

async function read(
  path: string,
  format: RawFormat,
  columns: ColumnMap,
  into: InteractionSink,
  encoding?: Encoding,
): Promise<void> {
  switch (format) {
    case 'amazon-2014':
    case 'amazon-2018':
    case 'amazon-2023':
      checkNoColumns(columns, path, format, NO_COLUMNS);
      return readJsonLines(path, REVIEW_FIELDS[format], into, undefined, encoding);
    case 'movielens':
    case 'recbole':
    case 'csv':
      return readDelimited(path, format, columns, into, encoding);
    case 'inter-json':
      checkNoColumns(columns, path, format, NO_COLUMNS);
      return readInterJson(path, into, encoding);
    case 'parquet':
      return readParquetInteractions(path, columns, into);
    default:
      throw format satisfies never;
  }
}

const NO_COLUMNS = 'leave --columns out, or name --meta-columns if they are those of the item texts';

async function readDelimited(
  path: string,
  format: 'movielens' | 'recbole' | 'csv',
  columns: ColumnMap,
  into: InteractionSink,
  encoding?: Encoding,
): Promise<void> {
  const { delimiter, places, header } = layout(await readHead(path, encoding), format, columns, path);
  into.timed = places.time >= 0;
  const scanner = new DelimitedScanner(into, path, delimiter, places, header ? 1 : 0);
  for await (const block of readBlocks(path, () => scanner.lines, encoding)) scanner.scan(block);
  scanner.end();
}

function layout(
  head: string,
  format: 'movielens' | 'recbole' | 'csv',
  columns: ColumnMap,
  path: string,
): { delimiter: string; places: Places; header: boolean } {
  const line = head.split('\n', 1)[0]!;
  if (format === 'movielens' && !line.includes(',')) {
    checkNoColumns(columns, path, format, NO_COLUMNS);
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
function readInterJson(path: string, into: InteractionSink, encoding?: Encoding): void {
  const wrong = (got: unknown): InputError =>
    new InputError(`${path}: expected {user: [items in order]}, got ${shown(got)}; write the file anew`);
  into.timed = false;
  for (const { key, value } of readMembers(path, undefined, encoding)) {
    const user = nameOf(key);
    if (user === undefined || !Array.isArray(value)) throw wrong({ [key]: value });
    const number = into.userNames.id(user);
    for (const name of value as unknown[]) {
      const item = nameOf(name);
      if (item === undefined) throw wrong({ [key]: [name] });
      into.add(number, into.itemNames.id(item), into.length, 0);
    }
  }
}
