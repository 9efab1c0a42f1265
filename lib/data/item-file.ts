/** `NAME.item.json`: `{id: {title, description, brand, categories}}`, ids 0 .. items - 1 (MiniOneRec's format). */
import { readJson } from '../files/files.js';
import { InputError } from '../support/errors.js';
import type { Item } from './dataset.js';

export function formatItems(items: readonly Item[]): string {
  return JSON.stringify(Object.fromEntries(items.map((item, id) => [id, item])), null, 2) + '\n';
}

/**
 * A text that is missing becomes empty, but the title; arrays of texts are joined.
 * @returns items; index = id
 * @throws InputError for a missing file, a hole in the ids, an item without a title
 */
export function readItems(path: string): Item[] {
  const texts = new Map(readItemTexts(path, 'run sidlab filter first'));
  const count = texts.size;
  if (count === 0) throw new InputError(`${path}: expected items, got none; run sidlab filter again`);
  return Array.from({ length: count }, (_, id) => {
    const item = texts.get(String(id));
    if (item === undefined) {
      throw new InputError(`${path}: expected ids 0 to ${count - 1}, id ${id} is missing; run sidlab filter again`);
    }
    if (item.title === '')
      throw new InputError(`${path}: item ${id} has no title; give it one or run sidlab filter again`);
    return item;
  });
}

/** Ids and texts, whatever the ids; a title may be empty. @throws InputError for a file that is missing or other JSON */
export function readItemTexts(path: string, mend?: string): [id: string, item: Item][] {
  const value = readJson<Record<string, Record<string, unknown>>>(path, mend);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InputError(`${path}: expected an object {id: {title, ...}}, got ${JSON.stringify(value).slice(0, 40)}`);
  }
  return Object.entries(value).map(([id, fields]) => [
    id,
    {
      title: join(fields?.title, ' '),
      description: join(fields?.description, ' '),
      brand: join(fields?.brand, ' '),
      categories: join(fields?.categories, ', '),
    },
  ]);
}

function join(value: unknown, separator: string): string {
  return Array.isArray(value) ? value.map(String).join(separator) : typeof value === 'string' ? value : '';
}
