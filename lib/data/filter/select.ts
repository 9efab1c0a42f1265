/**
 * The filter's work on columns: which interactions stay, in order of time, with users and items re-indexed.
 */
import { InputError } from '../../support/errors.js';
import type { IdTable } from '../raw/id-table.js';
import type { Interactions } from '../raw/interactions.js';
import type { Catalogue, CatalogueItem } from '../raw/shelf.js';
import { type Rules, widened } from './filter-options.js';
import { goodItems, nothingRemoved, type Removed, takeCore, withinBounds } from './filter-rules.js';
import { orderByTime } from './order-by-time.js';
import { nothingPlain, type PlainCounts, plainItem } from './plain-item.js';

/** What the filter keeps. */
export interface Selection {
  /** Of each interaction, oldest first: its user, from 0 in the order of first purchase. */
  users: Int32Array;
  /** Its item's id. */
  items: Int32Array;
  /** A user's number in `userNames`; index = user. */
  userOf: Int32Array;
  /** Names of the users, index = user id. */
  userNames: IdTable;
  /** Index = item id. */
  catalogue: CatalogueItem[];
  /** Seconds since 1970 of each, where the source has times. */
  timeOf?: (interaction: number) => number;
  /** What was removed, by reason. */
  removed: Removed;
  /** Texts that had HTML. */
  plain: PlainCounts;
  /** The rules that held in the end: `from` may have moved. */
  rules: Rules;
}

/**
 * @param catalogue the source's items
 * @param plain whether HTML is taken out of the texts
 * @throws InputError if nothing is left, or too few items at the widest dates
 */
export function select(data: Interactions, catalogue: Catalogue, rules: Rules, plain: boolean): Selection {
  const removed = nothingRemoved(catalogue.duplicates);
  const good = goodItems(catalogue.items, rules.titleWords, plain, removed)
    .map((item) => ({ item, number: data.itemNames.find(item.asin) }))
    .filter(({ number }) => number >= 0);
  // Without a least number of items the dates stay: nothing is later than that.
  const earliest = rules.minItems > 0 ? data.times.reduce((a, b) => Math.min(a, b), Infinity) : Infinity;
  for (let now = rules; ; now = widened(now)) {
    const tried = { ...removed };
    const kept = keep(data, good, now, tried);
    const selection = renumber(data, kept, good, now, tried);
    if (selection.catalogue.length >= rules.minItems && kept.length > 0)
      return plain ? withPlainTexts(selection) : selection;
    if (now.start > earliest) continue;
    if (kept.length === 0) throw nothingLeft(data.length, tried, now);
    throw new InputError(
      `filter: expected ${rules.minItems} items, got ${selection.catalogue.length} with all dates since the first review; lower --min-items, --user-k or --item-k`,
    );
  }
}

function withPlainTexts(selection: Selection): Selection {
  const plain = nothingPlain();
  return { ...selection, catalogue: selection.catalogue.map((item) => plainItem(item, plain)), plain };
}

/** An item that is kept with its title, and its number in the interactions' `itemNames`. */
interface Good {
  item: CatalogueItem;
  number: number;
}

/** Indices of the interactions that stay, in the order of the file. */
function keep(data: Interactions, good: readonly Good[], rules: Rules, removed: Removed): Int32Array {
  const stands = new Uint8Array(data.itemNames.size);
  for (const { number } of good) stands[number] = 1;
  return takeCore(data, withinBounds(data, rules, stands, removed), rules, removed);
}

function renumber(
  data: Interactions,
  kept: Int32Array,
  good: readonly Good[],
  rules: Rules,
  removed: Removed,
): Selection {
  const bought = new Uint8Array(data.itemNames.size);
  for (let i = 0; i < kept.length; i++) bought[data.items[kept[i]!]!] = 1;
  const listed = good.filter(({ number }) => bought[number] === 1);
  const ids = new Int32Array(data.itemNames.size).fill(-1);
  for (const [id, { number }] of listed.entries()) ids[number] = id;
  const times = new Float64Array(kept.length);
  const pairs = new Int32Array(2 * kept.length); // user and item side by side: they are fetched in another order
  for (let i = 0; i < kept.length; i++) {
    const e = kept[i]!;
    times[i] = data.times[e]!;
    pairs[2 * i] = data.users[e]!;
    pairs[2 * i + 1] = ids[data.items[e]!]!;
  }
  const order = orderByTime(times);
  const numbers = new Int32Array(data.userNames.size).fill(-1);
  const [users, items] = [new Int32Array(kept.length), new Int32Array(kept.length)];
  const userOf = new Int32Array(Math.min(kept.length, numbers.length));
  let count = 0;
  for (let i = 0; i < kept.length; i++) {
    const at = 2 * order[i]!;
    const name = pairs[at]!;
    if (numbers[name] === -1) {
      userOf[count] = name;
      numbers[name] = count++;
    }
    users[i] = numbers[name]!;
    items[i] = pairs[at + 1]!;
  }
  const catalogue = listed.map(({ item }) => item);
  return {
    users,
    items,
    userOf: userOf.subarray(0, count),
    userNames: data.userNames,
    catalogue,
    ...(data.timed && { timeOf: (i: number) => times[order[i]!]! }),
    removed,
    plain: nothingPlain(),
    rules,
  };
}

function nothingLeft(total: number, removed: Removed, { userK, itemK }: Rules): InputError {
  const reasons = Object.entries(removed).filter(([, count]) => count > 0);
  const why = reasons.map(([rule, count]) => `${rule} ${count}`).join(', ');
  return new InputError(
    `filter: nothing is left of ${total} reviews (${why}); lower --user-k (${userK}) or --item-k (${itemK}), or widen --from and --to`,
  );
}
