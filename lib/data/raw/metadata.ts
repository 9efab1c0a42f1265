/**
 * Item texts of a shop in the shape of Amazon's metadata files: one object a line, plain or gzip.
 *
 * | year | id | description | brand | categories | line |
 * |---|---|---|---|---|---|
 * | 2014 | asin | text | brand | categories: lists in a list | JSON or a Python dict |
 * | 2018 | asin | list | brand | category: list | JSON |
 * | 2023 | parent_asin | list; features where it is empty | store | categories: list | JSON |
 *
 * Lines are told apart one by one. A text may be a string or an array (of arrays) of strings; a missing one is empty.
 * An id that comes again is passed over and counted: the first line stands.
 */
import { readLines } from '../../files/files.js';
import { InputError } from '../../support/errors.js';
import type { Item } from '../dataset.js';
import { cleanTitle } from '../filter/title.js';
import { parsePythonLiteral } from './python-dict.js';
import { idField, parseObject } from './reviews.js';

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

/** Items as they come; the first of an id stands. */
export class Shelf {
  private readonly items = new Map<string, CatalogueItem>();
  private duplicates = 0;

  put(item: CatalogueItem): void {
    if (this.items.has(item.asin)) this.duplicates++;
    else this.items.set(item.asin, item);
  }

  /** @throws InputError if nothing was put */
  catalogue(path: string): Catalogue {
    if (this.items.size === 0) throw new InputError(`${path}: expected items, got an empty file; check the path`);
    return { items: [...this.items.values()], duplicates: this.duplicates };
  }
}

/** @throws InputError for a missing or damaged file, a broken line, a missing asin: file, line and mend */
export async function readMetadata(path: string): Promise<Catalogue> {
  const shelf = new Shelf();
  for await (const { text, number } of readLines(path)) {
    const where = `${path}:${number}`;
    const fields = parseLine(text, where);
    const id = fields.asin === undefined && fields.parent_asin !== undefined ? 'parent_asin' : 'asin';
    shelf.put({ asin: idField(fields, id, where), ...texts(fields, where) });
  }
  return shelf.catalogue(path);
}

/** JSON, or a Python dict where the line begins with a single quote. */
function parseLine(text: string, where: string): Record<string, unknown> {
  if (!/^\s*\{\s*u?'/.test(text)) return parseObject(text, where);
  const value = parsePythonLiteral(text);
  if (typeof value === 'object') return value as Record<string, unknown>;
  throw new InputError(`${where}: not a valid Python dict (${text.slice(0, 60)}...); mend or remove the line`);
}

function texts(fields: Record<string, unknown>, where: string): Item {
  const field = (name: string, separator: string) => textField(fields, name, separator, where);
  return {
    title: cleanTitle(field('title', ' ')),
    description: field('description', ' ') || field('features', ' '),
    brand: field('brand', ' ') || field('store', ' '),
    categories: field('category', ', ') || field('categories', ', '),
  };
}

function textField(fields: Record<string, unknown>, name: string, separator: string, where: string): string {
  const value = fields[name] ?? '';
  const parts: unknown[] = Array.isArray(value) ? value.flat() : [value];
  if (parts.every((part) => typeof part === 'string')) return parts.join(separator);
  throw new InputError(
    `${where}: expected ${name} to be text or an array of texts, got ${JSON.stringify(value).slice(0, 60)}; mend or remove the line`,
  );
}
