/**
 * Reviews and item texts -> the interactions worth training on, as rows in three splits.
 *
 * Follows MiniOneRec's Amazon processing (dates, titles, k-core, window, chronological 8:1:1). Departures:
 *   1. users and items have a k each;
 *   2. items are numbered in the order of the metadata, whatever the reviews' order;
 *   3. equal times keep the order of the file, so that the same input always gives the same rows;
 *   4. `removed` counts what each rule drops;
 *   5. dates widen only where `minItems` asks for it;
 *   6. an interaction of equal user, item and time as one before is a copy, and dropped;
 *   7. dates are bounded by default for Amazon's files of 2014 and 2018 alone.
 */
import type * as aq from 'arquero';
import { InputError } from '../../support/errors.js';
import type { Item, Row, Split } from '../dataset.js';
import { fromReviews, type Interactions, type LooseReview } from '../raw/interactions.js';
import type { Catalogue, CatalogueItem, ItemList } from '../raw/shelf.js';
import { defaultMonths } from './default-dates.js';
import { type FilterOptions, filterRules, type TextOptions } from './filter-options.js';
import type { Removed } from './filter-rules.js';
import type { PlainCounts } from './plain-item.js';
import { select, type Selection } from './select.js';
import { buildRows, splitRows } from './split-rows.js';

/** What the filter kept and removed. */
export interface FilterCounts {
  /** Users that are kept. */
  users: number;
  /** Items that are kept. */
  items: number;
  /** Interactions that are kept. */
  interactions: number;
  /** interactions / (users * items) */
  density: number;
  /** What the files held. */
  read: { users: number; items: number; interactions: number };
  /** First and last month, as they held in the end, or `any`. */
  dates: { from: string; to: string };
  /** What was removed, by reason. */
  removed: Removed;
  /** Texts of the kept items that had HTML tags or entities, which were taken out. */
  html: PlainCounts;
  /** Rows. */
  split: Record<Split, number>;
}

/** What the filter keeps, in memory. */
export interface Filtered extends Record<Split, Row[]> {
  /** Index = item id. */
  items: Item[];
  /** The source's names; index = item id. */
  asins: string[];
  /** How much is kept and removed. */
  counts: FilterCounts;
}

/**
 * @param reviews in the order of their file, or a table with the columns user, asin, time (as `timeOf` reads them: also
 *   Date columns), or columns already
 * @param options dates default as in `filterStage`: the reference's for Amazon files of 2014 and 2018, else none
 * @throws InputError if an option is out of range, a name or a time is none, or no row is left
 */
export function filterInteractions(
  reviews: readonly LooseReview[] | aq.ColumnTable | Interactions,
  catalogue: Catalogue | readonly CatalogueItem[],
  { plainText, ...options }: FilterOptions & TextOptions = {},
): Filtered {
  const data = asInteractions(reviews);
  const rules = filterRules(options, defaultMonths(data.format, options.minItems));
  checkTimes(data, options);
  const listed = 'duplicates' in catalogue ? catalogue : { items: [...catalogue], duplicates: 0 };
  const selection = select(data, listed, rules, plainText ?? hasRawTexts(listed));
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

/** Counts of a selection, for reports and `stats.json`. */
export function countsOf(
  data: Pick<Interactions, 'length' | 'timed'> & { userNames: { size: number } },
  { items: listed }: Catalogue<ItemList>,
  { length: interactions, userOf: { length: users }, catalogue: { length: items }, removed, plain, rules }: Selection,
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
    html: plain,
    split,
  };
}

/** Whether a catalogue's texts are as a seller wrote them, not a published file that somebody has cleaned. */
export function hasRawTexts({ format }: Pick<Catalogue, 'format'>): boolean {
  return format !== 'inter-json';
}

/** The fields of a catalogue's item that an item file holds. */
export function itemOf({ title, description, brand, categories, extra }: CatalogueItem): Item {
  return { title, description, brand, categories, ...(extra && { extra }) };
}

/** Without a clock there are no dates to filter by, and no order between users. */
export function checkTimes(
  data: Pick<Interactions, 'timed'>,
  { from = 'any', to = 'any', split = 'chronological' }: FilterOptions,
): void {
  if (data.timed) return;
  const mend = 'the interactions have an order a user, but no times';
  if (split === 'chronological') throw new InputError(`filter: expected --split leave-one-out, since ${mend}`);
  if (from !== 'any' || to !== 'any') throw new InputError(`filter: expected no --from and --to, since ${mend}`);
}

function asInteractions(reviews: readonly LooseReview[] | aq.ColumnTable | Interactions): Interactions {
  if ('userNames' in reviews) return reviews;
  return fromReviews('objects' in reviews ? (reviews.objects() as LooseReview[]) : reviews);
}
