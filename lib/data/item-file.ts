/**
 * `NAME.item.json`: `{id: {title, description, brand, categories}}`, ids 0 .. items - 1 (MiniOneRec's format). Other
 * fields (GRec's `enhanced_title`, `tags`, `highlights`, `characteristics`, image paths) are kept as they are.
 */
import type { Encoding } from '../files/encoding.js';
import { InputError } from '../support/errors.js';
import type { Item } from './dataset.js';
import { readMembers } from './object-file.js';
import { ITEM_TEXTS } from './raw/columns.js';
import { textOf } from './raw/values.js';

/** The file as one text: at most 512 MB. */
export function formatItems(items: readonly Item[]): string {
  return [...itemPieces(items)].join('');
}

/** The file piece by piece, as `JSON.stringify(..., null, 2)` has it, for catalogues of any size. */
export function* itemPieces(items: Iterable<Item>): Generator<string> {
  let id = 0;
  for (const item of items) {
    yield `${id === 0 ? '{' : ','}\n  "${id}": ${JSON.stringify(flat(item), null, 2).replaceAll('\n', '\n  ')}`;
    id++;
  }
  yield id === 0 ? '{}\n' : '\n}\n';
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

/**
 * Ids and texts, whatever the ids; a title may be empty.
 * @param encoding default UTF-8 or UTF-16, detected
 * @throws InputError for a file that is missing or other JSON
 */
export function readItemTexts(path: string, mend?: string, encoding?: Encoding): [id: string, item: Item][] {
  const items: [string, Item][] = [];
  for (const { key, value } of readMembers(path, mend, encoding)) items.push([key, itemFrom(value)]);
  return items;
}

function flat({ extra, ...texts }: Item): object {
  return { ...texts, ...extra };
}

function itemFrom(value: unknown): Item {
  const fields = (typeof value === 'object' ? (value ?? {}) : {}) as Record<string, unknown>;
  const others = Object.entries(fields).filter(([name]) => !Object.hasOwn(ITEM_TEXTS, name));
  const text = (name: keyof typeof ITEM_TEXTS): string => {
    const found = fields[name];
    // Texts stay as they were published: MiniOneRec's descriptions are printed lists.
    return typeof found === 'string' ? found : (textOf(found, ITEM_TEXTS[name], name === 'title') ?? '');
  };
  return {
    title: text('title'),
    description: text('description'),
    brand: text('brand'),
    categories: text('categories'),
    ...(others.length > 0 && { extra: Object.fromEntries(others) }),
  };
}
