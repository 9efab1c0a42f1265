/** One record of an item file, of any format, as an item of the catalogue: the same texts from each. */
import { InputError } from '../../support/errors.js';
import { cleanTitle } from '../filter/title.js';
import { ITEM_TEXTS } from './columns.js';
import type { CatalogueItem } from './shelf.js';
import { NAME_EXPECTED, nameOf, shown, textOf } from './values.js';

/** A text of an item. */
export type TextRole = keyof typeof ITEM_TEXTS;

/**
 * @param name the item's name, as the record has it
 * @param candidates values of a text, the preferred first; the first that is not empty is taken
 * @param where file and line, for messages
 * @param field what the record calls the name. Default `item`
 * @throws InputError for a name that is none, and for a text of another kind
 */
export function itemOfRecord(
  name: unknown,
  candidates: (role: TextRole) => readonly unknown[],
  where: string,
  field = 'item',
): CatalogueItem {
  const asin = nameOf(name);
  if (asin === undefined) {
    throw new InputError(
      `${where}: expected ${field} to be ${NAME_EXPECTED}, got ${shown(name)}; mend or remove the line`,
    );
  }
  const text = (role: TextRole): string => {
    for (const value of candidates(role)) {
      const found = textOf(value, ITEM_TEXTS[role], role === 'title');
      if (found === undefined) {
        throw new InputError(
          `${where}: expected ${role} to be text or an array of texts, got ${shown(value)}; mend or remove the line`,
        );
      }
      if (found !== '') return found;
    }
    return '';
  };
  return {
    asin,
    title: cleanTitle(text('title')),
    description: text('description'),
    brand: text('brand'),
    categories: text('categories'),
  };
}

/** Those of a record's other fields that are asked for and there. */
export function keptFields(
  fields: Readonly<Record<string, unknown>>,
  names: readonly string[],
): { extra?: Record<string, unknown> } {
  const kept = names.filter((name) => !Object.hasOwn(ITEM_TEXTS, name) && fields[name] !== undefined);
  return kept.length > 0 ? { extra: Object.fromEntries(kept.map((name) => [name, fields[name]])) } : {};
}
