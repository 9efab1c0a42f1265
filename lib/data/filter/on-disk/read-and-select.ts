/** Reads a source and selects from it: in memory while it fits, in passes over temporary files where it does not. */
import type { Scratch } from '../../../files/scratch.js';
import { placeholderCatalogue } from '../../raw/catalogue.js';
import type { RawFormat } from '../../raw/format-names.js';
import type { Interactions, InteractionSink } from '../../raw/interactions.js';
import type { Catalogue, ItemList, ItemSink } from '../../raw/shelf.js';
import { checkTimes, hasRawTexts } from '../filter.js';
import type { FilterOptions, Rules } from '../filter-options.js';
import { select, type Selection, type SelectionInMemory } from '../select.js';
import { selectStored } from './select-stored.js';
import { SpillingInteractions, type StoredInteractions } from './stored-interactions.js';
import { SpillingShelf } from './stored-items.js';

/** Interactions for each item whose texts are held in memory too: an item is about as large as twenty of them. */
const ITEM = 20;

/** Where interactions and items come from. */
export interface Source {
  /** Of the interactions. */
  reviews: (into: InteractionSink) => Promise<RawFormat>;
  /** Path of the item texts, and how they are read; undefined for placeholders. */
  meta?: { path: string; read: (into: ItemSink) => Promise<RawFormat> };
}

/** How they are selected. */
export interface ReadSelectOptions extends FilterOptions {
  /** Interactions in memory at most. */
  spillRows: number;
  /** Default by the format. */
  plainText?: boolean | undefined;
}

/** A selection, and what it was made from. */
export interface FromSource {
  /** For counts. */
  data: Interactions | StoredInteractions;
  catalogue: Catalogue<ItemList>;
  selection: Selection;
  /** The selection, where all was done in memory. */
  inMemory?: SelectionInMemory;
}

/** @param scratch what the selection may be in: it is read until these files are closed @throws InputError as `select` */
export async function readAndSelect(
  source: Source,
  { spillRows, plainText, ...given }: ReadSelectOptions,
  rules: Rules,
  scratch: Scratch,
): Promise<FromSource> {
  const interactions = new SpillingInteractions(scratch, spillRows);
  const itemLimit = Math.ceil(spillRows / ITEM);
  const shelf = new SpillingShelf(scratch, itemLimit);
  const { meta } = source;
  // At once: this thread waits for the one that inflates the reviews.
  const [, read] = await Promise.all([
    source.reviews(interactions),
    meta?.read(shelf).then((format) => ({ ...shelf.checked(meta.path), format, items: shelf.items })),
  ]);
  checkTimes(interactions, given);
  const data = interactions.inMemory();
  const catalogue = read ?? placeholderCatalogue(interactions);
  const plain = plainText ?? hasRawTexts(catalogue);
  if (data && !shelf.items.spilled) {
    const listed = { ...catalogue, items: [...catalogue.items] };
    const inMemory = select(data, listed, rules, plain);
    return { data, catalogue: listed, selection: inMemory, inMemory };
  }
  const stored = interactions.stored();
  const selection = selectStored(stored, catalogue, rules, plain, scratch, { items: itemLimit });
  return { data: stored, catalogue, selection };
}
