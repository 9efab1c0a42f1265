/**
 * Reviews and item texts -> the interactions worth learning from, as rows in three splits.
 *
 * Follows MiniOneRec's Amazon processing (dates, titles, k-core, window, chronological 8:1:1). Departures:
 *   1. users and items have a k each;
 *   2. items are numbered in the order of the metadata, whatever the reviews' order;
 *   3. equal times keep the order of the file, so that the same input always gives the same rows;
 *   4. nothing is dropped unsaid: `removed` counts by rule.
 */
import type * as aq from 'arquero';
import { InputError } from '../support/index.js';
import { kCore } from './core.js';
import type { Item, Row, Split } from './dataset.js';
import type { Catalogue, CatalogueItem } from './metadata.js';
import { monthStart } from './months.js';
import type { Review } from './reviews.js';
import { SPLIT_RULES, type SplitRule, buildRows, splitRows } from './rows.js';
import { type TitleFault, titleFault } from './title.js';

export interface FilterOptions {
  /** Fewest interactions of a user. At least 1; a user with one interaction gives no row anyway. Default 5. */
  userK?: number;
  /** Fewest interactions of an item. At least 1. Default 5. */
  itemK?: number;
  /** First month, `1996-10`, UTC. Default the reference's. */
  from?: string;
  /** Last month, included. Default `2018-10`. */
  to?: string;
  /** Longest history, in items. Default 10. */
  window?: number;
  /** `chronological` (8:1:1 of all rows in order of time, default) or `leave-one-out`. */
  split?: SplitRule;
  /** Most words of a title; longer ones drop the item. Default 20. */
  titleWords?: number;
}

/** What each rule took away; interactions are counted at the first rule that takes them. */
export interface Removed {
  duplicateItems: number;
  itemsWithoutTitle: number;
  titlesWithMarkup: number;
  titlesTooLong: number;
  interactionsOutsideDates: number;
  /** Of items that the metadata lacks, or that a rule above dropped. */
  interactionsWithoutItem: number;
  usersWithOneInteraction: number;
  usersBelowK: number;
  itemsBelowK: number;
  /** Of the users and items of the three rules above. */
  interactionsBelowK: number;
}

export interface FilterCounts {
  users: number;
  items: number;
  interactions: number;
  /** interactions / (users * items) */
  density: number;
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
 * @param reviews in the order of their file, or a table with the columns user, asin, time
 * @throws InputError if an option is out of range, or no row is left
 */
export function filterInteractions(
  reviews: readonly Review[] | aq.ColumnTable,
  catalogue: Catalogue | readonly CatalogueItem[],
  options: FilterOptions = {},
): Filtered {
  const rules = parseOptions(options);
  const { items: listed, duplicates } = 'duplicates' in catalogue ? catalogue : { items: catalogue, duplicates: 0 };
  const removed = nothingRemoved(duplicates);
  const catalogued = goodItems(listed, rules.titleWords, removed);
  const all = 'objects' in reviews ? (reviews.objects() as Review[]) : reviews;
  const dated = within(all, rules, catalogued, removed);
  const kept = core(dated, rules, removed);
  if (kept.length === 0) throw nothingLeft(all.length, removed, rules);

  const bought = new Set(kept.map((review) => review.asin));
  const numbered = [...catalogued.values()].filter(({ asin }) => bought.has(asin));
  const ids = new Map(numbered.map(({ asin }, id) => [asin, id]));
  const interactions = kept
    .sort((a, b) => a.time - b.time) // stable: equal times stay in the order of the file
    .map(({ user, asin }) => ({ user, item: ids.get(asin)! }));
  const splits = splitRows(buildRows(interactions, rules.window), rules.split);
  const users = new Set(kept.map((review) => review.user)).size;
  return {
    ...splits,
    items: numbered.map(({ title, description, brand, categories }) => ({ title, description, brand, categories })),
    asins: numbered.map(({ asin }) => asin),
    counts: {
      users,
      items: numbered.length,
      interactions: kept.length,
      density: kept.length / (users * numbered.length),
      removed,
      split: { train: splits.train.length, valid: splits.valid.length, test: splits.test.length },
    },
  };
}

interface Rules extends Required<Omit<FilterOptions, 'from' | 'to'>> {
  /** Seconds, included. */
  start: number;
  /** Seconds, excluded. */
  end: number;
}

function parseOptions(options: FilterOptions): Rules {
  const { userK = 5, itemK = 5, from = '1996-10', to = '2018-10', window = 10 } = options;
  const { split = 'chronological', titleWords = 20 } = options;
  for (const [name, value] of Object.entries({ userK, itemK, window, titleWords })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new InputError(`filter: expected ${name} to be a whole number of at least 1, got ${value}`);
    }
  }
  if (!SPLIT_RULES.includes(split)) {
    throw new InputError(`filter: expected split to be one of ${SPLIT_RULES.join(', ')}, got ${String(split)}`);
  }
  const [start, end] = [monthStart(from, 'from'), monthStart(to, 'to', 1)];
  if (start >= end) throw new InputError(`filter: expected from to come before to, got ${from} and ${to}`);
  return { userK, itemK, window, split, titleWords, start, end };
}

function nothingRemoved(duplicateItems: number): Removed {
  return {
    duplicateItems,
    itemsWithoutTitle: 0,
    titlesWithMarkup: 0,
    titlesTooLong: 0,
    interactionsOutsideDates: 0,
    interactionsWithoutItem: 0,
    usersWithOneInteraction: 0,
    usersBelowK: 0,
    itemsBelowK: 0,
    interactionsBelowK: 0,
  };
}

function goodItems(
  items: readonly CatalogueItem[],
  words: number,
  removed: Record<TitleFault, number>,
): Map<string, CatalogueItem> {
  const good = new Map<string, CatalogueItem>();
  for (const item of items) {
    const fault = titleFault(item.title, words);
    if (fault) removed[fault]++;
    else good.set(item.asin, item);
  }
  return good;
}

function within(reviews: readonly Review[], rules: Rules, items: Map<string, unknown>, removed: Removed): Review[] {
  return reviews.filter(({ time, asin }) => {
    if (time < rules.start || time >= rules.end) removed.interactionsOutsideDates++;
    else if (!items.has(asin)) removed.interactionsWithoutItem++;
    else return true;
    return false;
  });
}

function core(reviews: readonly Review[], { userK, itemK }: Rules, removed: Removed): Review[] {
  const counts = new Map<string, number>();
  for (const { user } of reviews) counts.set(user, (counts.get(user) ?? 0) + 1);
  const several = reviews.filter(({ user }) => counts.get(user)! > 1);
  removed.usersWithOneInteraction = reviews.length - several.length;
  const users = numbers(several.map(({ user }) => user));
  const items = numbers(several.map(({ asin }) => asin));
  const { kept, usersRemoved, itemsRemoved } = kCore(users, items, Math.max(2, userK), itemK);
  const rest = several.filter((_, i) => kept[i]);
  removed.usersBelowK = usersRemoved;
  // An item of one-time buyers alone is gone before the core is taken, yet for the same reason.
  const gone = new Set(reviews.map(({ asin }) => asin)).size - new Set(several.map(({ asin }) => asin)).size;
  removed.itemsBelowK = itemsRemoved + gone;
  removed.interactionsBelowK = reviews.length - rest.length;
  return rest;
}

function numbers(names: readonly string[]): number[] {
  const seen = new Map<string, number>();
  return names.map((name) => {
    if (!seen.has(name)) seen.set(name, seen.size);
    return seen.get(name)!;
  });
}

function nothingLeft(total: number, removed: Removed, { userK, itemK }: Rules): InputError {
  const reasons = Object.entries(removed).filter(([, count]) => count > 0);
  const why = reasons.map(([rule, count]) => `${rule} ${count}`).join(', ');
  return new InputError(
    `filter: nothing is left of ${total} reviews (${why}); lower --user-k (${userK}) or --item-k (${itemK}), or widen --from and --to`,
  );
}
