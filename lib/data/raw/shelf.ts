/** The items of a data set as they are collected from a file: the first of an id is kept. */
import { InputError } from '../../support/errors.js';
import type { Item } from '../dataset.js';
import type { RawFormat } from './format-names.js';

/** An item's texts and its name. */
export interface CatalogueItem extends Item {
  /** The source's own name of the item. */
  asin: string;
}

/** Items in their order, which may be too many for memory. */
export interface ItemList extends Iterable<CatalogueItem> {
  readonly length: number;
}

/** The items of a data set, in memory unless it says otherwise. */
export interface Catalogue<Items extends ItemList = CatalogueItem[]> {
  /** In the order of the file; a title may be empty. */
  items: Items;
  /** Lines whose `asin` had come before. */
  duplicates: number;
  /** Where the items come from; missing for items made in memory. */
  format?: RawFormat;
}

/** What readers put items into, one by one; the first of an id counts. */
export interface ItemSink {
  put(item: CatalogueItem): void;
}

/** Items in memory as they come. */
export class Shelf implements ItemSink {
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
