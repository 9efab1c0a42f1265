/**
 * Item texts of a shop in the shape of Amazon's 2018 metadata files: one JSON object a line, plain or gzip.
 *
 * Fields used: `asin` (required), `title`, `description`, `brand`, `category`. A text may be a string or an array of
 * strings; a missing one is empty. An `asin` that comes again is passed over and counted: the first line stands.
 */
import { InputError, readLines } from '../support/index.js';
import type { Item } from './dataset.js';
import { idField, parseObject } from './reviews.js';
import { cleanTitle } from './title.js';

export interface CatalogueItem extends Item {
  /** The shop's own name of the item. */
  asin: string;
}

export interface Catalogue {
  /** In the order of the file; a title may be empty. */
  items: CatalogueItem[];
  /** Lines whose `asin` had come before. */
  duplicates: number;
}

/** @throws InputError for a missing or damaged file, a broken line, a missing asin: file, line and mend */
export async function readMetadata(path: string): Promise<Catalogue> {
  const items = new Map<string, CatalogueItem>();
  let duplicates = 0;
  for await (const { text, number } of readLines(path)) {
    const where = `${path}:${number}`;
    const fields = parseObject(text, where);
    const asin = idField(fields, 'asin', where);
    if (items.has(asin)) duplicates++;
    else items.set(asin, { asin, ...texts(fields, where) });
  }
  if (items.size === 0) throw new InputError(`${path}: expected items, got an empty file; check the path`);
  return { items: [...items.values()], duplicates };
}

function texts(fields: Record<string, unknown>, where: string): Item {
  return {
    title: cleanTitle(textField(fields, 'title', ' ', where)),
    description: textField(fields, 'description', ' ', where),
    brand: textField(fields, 'brand', ' ', where),
    categories: textField(fields, 'category', ', ', where),
  };
}

function textField(fields: Record<string, unknown>, name: string, separator: string, where: string): string {
  const value = fields[name] ?? '';
  const parts: unknown[] = Array.isArray(value) ? value : [value];
  if (parts.every((part) => typeof part === 'string')) return parts.join(separator);
  throw new InputError(
    `${where}: expected ${name} to be text or an array of texts, got ${JSON.stringify(value).slice(0, 60)}; mend or remove the line`,
  );
}
