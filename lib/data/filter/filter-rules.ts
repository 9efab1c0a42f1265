/**
 * The filter's rules over columns: they drop, and count what they drop.
 */
import type { Interactions } from '../raw/interactions.js';
import type { IdTable } from '../raw/id-table.js';
import type { ItemList } from '../raw/shelf.js';
import type { Rules } from './filter-options.js';
import { withoutDuplicates } from './duplicates.js';
import { kCore } from './k-core.js';
import { plainTitle } from './plain-item.js';
import { type TitleFault, titleFault } from './title.js';

/** What each rule took away; interactions are counted at the first rule that takes them. */
export interface Removed {
  /** Items whose id came before. */
  duplicateItems: number;
  /** Items with an empty title. */
  itemsWithoutTitle: number;
  /** Items whose title holds HTML. */
  titlesWithMarkup: number;
  /** Items whose title has too many words. */
  titlesTooLong: number;
  /** Interactions before the first month or after the last. */
  interactionsOutsideDates: number;
  /** Of items that the metadata lacks, or that a rule above dropped. */
  interactionsWithoutItem: number;
  /** Of equal user, item and time as one before. */
  duplicateInteractions: number;
  /** Users who give no row. */
  usersWithOneInteraction: number;
  /** Users with too few interactions. */
  usersBelowK: number;
  /** Items with too few interactions. */
  itemsBelowK: number;
  /** Of the users and items of the three rules above. */
  interactionsBelowK: number;
}

/** Nothing removed yet but items whose id came again. */
export function nothingRemoved(duplicateItems: number): Removed {
  return {
    duplicateItems,
    itemsWithoutTitle: 0,
    titlesWithMarkup: 0,
    titlesTooLong: 0,
    interactionsOutsideDates: 0,
    interactionsWithoutItem: 0,
    duplicateInteractions: 0,
    usersWithOneInteraction: 0,
    usersBelowK: 0,
    itemsBelowK: 0,
    interactionsBelowK: 0,
  };
}

/**
 * Items that are kept with their titles, by their numbers.
 * @param words most words of a title
 * @param plain whether entities are decoded first, as they will be in what is kept
 * @param numbers the interactions' items
 * @param removed is added to
 * @returns an item's number in `numbers`, in the order given; -1 for one that is dropped or that nobody bought
 */
export function goodItems(
  items: ItemList,
  words: number,
  plain: boolean,
  numbers: IdTable,
  removed: Record<TitleFault, number>,
): Int32Array {
  const good = new Int32Array(items.length);
  let at = 0;
  for (const { title, asin } of items) {
    const fault = titleFault(plain ? plainTitle(title) : title, words);
    if (fault) removed[fault]++;
    good[at++] = fault ? -1 : numbers.find(asin);
  }
  return good;
}

/** The numbers of good items as a table: 1 for such an item; index = the item's number. */
export function flagged(good: Int32Array, size: number): Uint8Array {
  const stands = new Uint8Array(size);
  for (const number of good) if (number >= 0) stands[number] = 1;
  return stands;
}

/**
 * Interactions within the dates, of items that are kept, each once.
 * @param stands 1 for such an item; index = the item's number
 * @param removed is added to
 * @returns indices into `data`
 */
export function withinBounds(data: Interactions, rules: Rules, stands: Uint8Array, removed: Removed): Int32Array {
  const { length, times, items } = data;
  const { start, end } = data.timed ? rules : { start: -Infinity, end: Infinity };
  const kept = new Int32Array(length);
  let count = 0;
  for (let i = 0; i < length; i++) {
    if (times[i]! < start || times[i]! >= end) removed.interactionsOutsideDates++;
    else if (stands[items[i]!] === 0) removed.interactionsWithoutItem++;
    else kept[count++] = i;
  }
  const unique = withoutDuplicates(data, kept.subarray(0, count));
  removed.duplicateInteractions = count - unique.length;
  return unique;
}

/**
 * Interactions of users with at least max(2, userK) and items with at least itemK of them, repeats counted.
 * @param dated indices into `data`
 * @returns those of the indices that stay
 */
export function takeCore(data: Interactions, dated: Int32Array, rules: Rules, removed: Removed): Int32Array {
  const counts = new Int32Array(data.userNames.size);
  for (let i = 0; i < dated.length; i++) counts[data.users[dated[i]!]!]!++;
  const several = filtered(dated, (e) => counts[data.users[e]!]! > 1);
  removed.usersWithOneInteraction = dated.length - several.length;
  const [users, items] = [new Int32Array(several.length), new Int32Array(several.length)];
  for (let i = 0; i < several.length; i++) {
    users[i] = data.users[several[i]!]!;
    items[i] = data.items[several[i]!]!;
  }
  const { kept, usersRemoved } = kCore(users, items, Math.max(2, rules.userK), rules.itemK);
  const rest = filtered(several, (_, i) => kept[i] === 1);
  removed.usersBelowK = usersRemoved;
  // An item of one-time buyers alone is gone before the core is taken, yet for the same reason.
  removed.itemsBelowK =
    distinct(data.items, dated, data.itemNames.size) - distinct(data.items, rest, data.itemNames.size);
  removed.interactionsBelowK = dated.length - rest.length;
  return rest;
}

/** How many different values there are among `values[at]`. */
function distinct(values: Int32Array, at: Int32Array, size: number): number {
  const seen = new Uint8Array(size);
  let different = 0;
  for (let i = 0; i < at.length; i++) {
    const value = values[at[i]!]!;
    different += 1 - seen[value]!;
    seen[value] = 1;
  }
  return different;
}

/** `values.filter`, several times faster on millions of them. */
function filtered(values: Int32Array, keep: (value: number, i: number) => boolean): Int32Array {
  const kept = new Int32Array(values.length);
  let count = 0;
  for (let i = 0; i < values.length; i++) if (keep(values[i]!, i)) kept[count++] = values[i]!;
  return kept.subarray(0, count);
}
