/**
 * Reviews and item texts -> the interactions worth learning from, as rows in three splits.
 *
 * Follows MiniOneRec's Amazon processing (dates, titles, k-core, window, chronological 8:1:1). Departures:
 *   1. users and items have a k each;
 *   2. items are numbered in the order of the metadata, whatever the reviews' order;
 *   3. equal times keep the order of the file, so that the same input always gives the same rows;
 *   4. nothing is dropped unsaid: `removed` counts by rule;
 *   5. dates widen only where `minItems` asks for it.
 */
import type * as aq from 'arquero';
import { InputError } from '../../support/errors.js';
import type { Item, Row, Split } from '../dataset.js';
import { fromReviews, type Interactions } from '../raw/interactions.js';
import type { Catalogue, CatalogueItem } from '../raw/metadata.js';
import type { Review } from '../raw/reviews.js';
import { type FilterOptions, filterRules } from './filter-options.js';
import type { Removed } from './filter-rules.js';
import { select, type Selection } from './select.js';
import { buildRows, splitRows } from './split-rows.js';

export interface FilterCounts {
  users: number;
  items: number;
  interactions: number;
  /** interactions / (users * items) */
  density: number;
  /** What the files held. */
  read: { users: number; items: number; interactions: number };
  /** First and last month, as they held in the end, or `any`. */
  dates: { from: string; to: string };
  removed: Removed;
  /** Rows. */
  split: Record<Split, number>;
}

export interface Filtered extends Record<Split, Row[]> {
  /** Index = item id. */
  items: Item[];
  /** The shop's names; index = item id. */
  asins: string[];
  counts: FilterCounts;
}

/**
 * @param reviews in the order of their file, or a table with the columns user, asin, time, or columns already
 * @throws InputError if an option is out of range, or no row is left
 */
export function filterInteractions(
  reviews: readonly Review[] | aq.ColumnTable | Interactions,
  catalogue: Catalogue | readonly CatalogueItem[],
  options: FilterOptions = {},
): Filtered {
  const rules = filterRules(options);
  const data = asInteractions(reviews);
  checkTimes(data, options);
  const listed = 'duplicates' in catalogue ? catalogue : { items: [...catalogue], duplicates: 0 };
  const selection = select(data, listed, rules);
  const names = Array.from(selection.userOf, (number) => selection.userNames.name(number));
  const interactions = Array.from(selection.users, (user, i) => ({ user: names[user]!, item: selection.items[i]! }));
  const splits = splitRows(buildRows(interactions, rules.window), rules.split);
  const split = { train: splits.train.length, valid: splits.valid.length, test: splits.test.length };
  return {
    ...splits,
    items: selection.catalogue.map(itemOf),
    asins: selection.catalogue.map(({ asin }) => asin),
    counts: countsOf(data, listed, selection, split),
  };
}

export function countsOf(
  data: Interactions,
  { items: listed }: Catalogue,
  {
    users: { length: interactions },
    userOf: { length: users },
    catalogue: { length: items },
    removed,
    rules,
  }: Selection,
  split: Record<Split, number>,
): FilterCounts {
  return {
    users,
    items,
    interactions,
    density: interactions / (users * items),
    read: { users: data.userNames.size, items: listed.length, interactions: data.length },
    dates: data.timed ? { from: rules.from, to: rules.to } : { from: 'any', to: 'any' },
    removed,
    split,
  };
}

export function itemOf({ title, description, brand, categories }: CatalogueItem): Item {
  return { title, description, brand, categories };
}

/** Without a clock there are no dates to filter by, and no order between users. */
export function checkTimes(
  data: Interactions,
  { from = 'any', to = 'any', split = 'chronological' }: FilterOptions,
): void {
  if (data.timed) return;
  const mend = 'the interactions have an order a user, but no times';
  if (split === 'chronological') throw new InputError(`filter: expected --split leave-one-out, since ${mend}`);
  if (from !== 'any' || to !== 'any') throw new InputError(`filter: expected no --from and --to, since ${mend}`);
}

function asInteractions(reviews: readonly Review[] | aq.ColumnTable | Interactions): Interactions {
  if ('userNames' in reviews) return reviews;
  return fromReviews('objects' in reviews ? (reviews.objects() as Review[]) : reviews);
}
