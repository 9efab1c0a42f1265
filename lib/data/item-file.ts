/** `NAME.item.json`: `{id: {title, description, brand, categories}}`, ids 0 .. items - 1 (MiniOneRec's format). */
import { InputError, readJson } from '../support/index.js';
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
  const value = readJson<Record<string, Record<string, unknown>>>(path, 'run sidlab filter first');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InputError(`${path}: expected an object {id: {title, ...}}, got ${JSON.stringify(value).slice(0, 40)}`);
  }
  const count = Object.keys(value).length;
  if (count === 0) throw new InputError(`${path}: expected items, got none; run sidlab filter again`);
  return Array.from({ length: count }, (_, id) => {
    const fields = value[id];
    if (fields === undefined) {
      throw new InputError(`${path}: expected ids 0 to ${count - 1}, id ${id} is missing; run sidlab filter again`);
    }
    const title = join(fields?.title, ' ');
    if (title === '') throw new InputError(`${path}: item ${id} has no title; give it one or run sidlab filter again`);
    return {
      title,
      description: join(fields?.description, ' '),
      brand: join(fields?.brand, ' '),
      categories: join(fields?.categories, ', '),
    };
  });
}

function join(value: unknown, separator: string): string {
  return Array.isArray(value) ? value.map(String).join(separator) : typeof value === 'string' ? value : '';
}
