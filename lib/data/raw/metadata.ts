/**
 * Item texts in the shape of Amazon's metadata files: one object a line, plain or gzip.
 *
 * | year | id | description | brand | categories | line |
 * |---|---|---|---|---|---|
 * | 2014 | asin | text | brand | categories: lists in a list | JSON or a Python dict |
 * | 2018 | asin | list | brand | category: list | JSON |
 * | 2023 | parent_asin | list; features where it is empty | store | categories: list | JSON |
 *
 * Each line is detected by itself. A text may be a string or an array (of arrays) of strings; a missing one is empty.
 * An id that comes again is passed over and counted: the first line is kept.
 */
import type { Encoding } from '../../files/encoding.js';
import { readLines } from '../../files/files.js';
import { InputError } from '../../support/errors.js';
import { COLUMN_NAMES } from './columns.js';
import { itemOfRecord, keptFields, type TextRole } from './item-record.js';
import { parsePythonLiteral } from './python-dict.js';
import { parseObject } from './json-text.js';
import type { ItemSink } from './shelf.js';

/**
 * @param into gets the items
 * @param encoding default UTF-8 or UTF-16, detected
 * @param keepFields other fields that are kept as they are
 * @throws InputError for a missing or damaged file, a broken line, a missing asin: file, line and mend
 */
export async function readMetadata(
  path: string,
  into: ItemSink,
  encoding?: Encoding,
  keepFields: readonly string[] = [],
): Promise<void> {
  for await (const { text, number } of readLines(path, encoding)) {
    const where = `${path}:${number}`;
    const fields = parseLine(text, where);
    const id = fields.parent_asin === undefined ? 'asin' : 'parent_asin';
    const candidates = (role: TextRole) => COLUMN_NAMES[role].map((name) => fields[name]);
    into.put({ ...itemOfRecord(fields[id], candidates, where, id), ...keptFields(fields, keepFields) });
  }
}

/** JSON, or a Python dict where the line begins with a single quote. */
function parseLine(text: string, where: string): Record<string, unknown> {
  if (!/^\s*\{\s*u?'/.test(text)) return parseObject(text, where);
  const value = parsePythonLiteral(text);
  if (typeof value === 'object') return value as Record<string, unknown>;
  throw new InputError(`${where}: not a valid Python dict (${text.slice(0, 60)}...); mend or remove the line`);
}
