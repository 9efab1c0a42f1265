/**
 * The filter's rules, one function each: they drop, and count what they drop.
 */
import { kCore } from './core.js';
import type { CatalogueItem } from './metadata.js';
import type { Review } from './reviews.js';
import { type TitleFault, titleFault } from './title.js';

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

export function nothingRemoved(duplicateItems: number): Removed {
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

/** Items whose title stands, by their `asin`. */
export function goodItems(
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

/** Reviews of such items within [start, end), in seconds. */
export function withinBounds(
  reviews: readonly Review[],
  bounds: { start: number; end: number },
  items: Map<string, unknown>,
  removed: Removed,
): Review[] {
  return reviews.filter(({ time, asin }) => {
    if (time < bounds.start || time >= bounds.end) removed.interactionsOutsideDates++;
    else if (!items.has(asin)) removed.interactionsWithoutItem++;
    else return true;
    return false;
  });
}

/** Reviews of users with at least max(2, userK) and items with at least itemK of them, repeats counted. */
export function takeCore(
  reviews: readonly Review[],
  { userK, itemK }: { userK: number; itemK: number },
  removed: Removed,
): Review[] {
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
