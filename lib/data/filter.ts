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
import type { Item, Row, Split } from './dataset.js';
import { type Removed, goodItems, nothingRemoved, takeCore, withinBounds } from './filter-rules.js';
import type { Catalogue, CatalogueItem } from './metadata.js';
import { monthStart } from './months.js';
import type { Review } from './reviews.js';
import { SPLIT_RULES, type SplitRule, buildRows, splitRows } from './rows.js';

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
  const dated = withinBounds(all, rules, catalogued, removed);
  const kept = takeCore(dated, rules, removed);
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

function nothingLeft(total: number, removed: Removed, { userK, itemK }: Rules): InputError {
  const reasons = Object.entries(removed).filter(([, count]) => count > 0);
  const why = reasons.map(([rule, count]) => `${rule} ${count}`).join(', ');
  return new InputError(
    `filter: nothing is left of ${total} reviews (${why}); lower --user-k (${userK}) or --item-k (${itemK}), or widen --from and --to`,
  );
}
