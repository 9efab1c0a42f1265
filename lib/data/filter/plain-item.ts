/** HTML out of a catalogue's texts, counted. */
import { plainText } from '../raw/html.js';
import type { CatalogueItem } from '../raw/shelf.js';
import { cleanTitle, hasMarkup } from './title.js';

/** How many texts had tags or entities, of the items that were kept. */
export interface PlainCounts {
  /** Titles that were changed. */
  titles: number;
  /** Descriptions that were changed. */
  descriptions: number;
  /** Brands that were changed. */
  brands: number;
  /** Categories that were changed. */
  categories: number;
}

/** Nothing counted. */
export function nothingPlain(): PlainCounts {
  return { titles: 0, descriptions: 0, brands: 0, categories: 0 };
}

/** A title without entities. One with tags stays as it is: its item is dropped for them, as the reference does. */
export function plainTitle(title: string): string {
  const plain = plainText(title);
  return plain === title || hasMarkup(title) ? title : cleanTitle(plain);
}

/**
 * @param raw the item as its file has it
 * @param counts is added to
 * @returns the item with plain texts
 */
export function plainItem(raw: CatalogueItem, counts: PlainCounts): CatalogueItem {
  const item = {
    ...raw,
    title: plainTitle(raw.title),
    description: plainText(raw.description),
    brand: plainText(raw.brand),
    categories: plainText(raw.categories),
  };
  counts.titles += Number(item.title !== raw.title);
  counts.descriptions += Number(item.description !== raw.description);
  counts.brands += Number(item.brand !== raw.brand);
  counts.categories += Number(item.categories !== raw.categories);
  return item;
}
