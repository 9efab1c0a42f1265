/**
 * The filter's work on columns: which interactions stay, in order of time, with users and items re-indexed.
 */
import { InputError } from '../../support/errors.js';
import type { IdTable, NameList } from '../raw/id-table.js';
import type { Interactions } from '../raw/interactions.js';
import type { Catalogue, CatalogueItem, ItemList } from '../raw/shelf.js';
import { type Rules, widened } from './filter-options.js';
import { flagged, goodItems, nothingRemoved, type Removed, takeCore, withinBounds } from './filter-rules.js';
import { orderByTime } from './order-by-time.js';
import { nothingPlain, type PlainCounts, plainItem } from './plain-item.js';

/** Some interactions that are kept, oldest first. */
export interface SelectedBlock {
  /** How many. */
  length: number;
  /** Of each its user, from 0 in the order of first purchase. */
  users: Int32Array;
  /** Its item's id. */
  items: Int32Array;
  /** Seconds since 1970; where the source has no times, places in an order. */
  times: Float64Array;
}

/** What the filter keeps, in memory or on disk. */
export interface Selection {
  /** Interactions. */
  length: number;
  /** All of them, oldest first; a block is good until the next one. */
  blocks(): Iterable<SelectedBlock>;
  /** Whether the source has times. */
  timed: boolean;
  /** A user's number in `userNames`; index = user. */
  userOf: Int32Array;
  /** Names of the users. */
  userNames: NameList;
  /** In the order of their ids. */
  catalogue: ItemList;
  /** What was removed, by reason. */
  removed: Removed;
  /** Texts that had HTML. */
  plain: PlainCounts;
  /** The rules that held in the end: `from` may have moved. */
  rules: Rules;
}

/** What the filter keeps, in memory. */
export interface SelectionInMemory extends Selection {
  /** Of each interaction, oldest first: its user. */
  users: Int32Array;
  /** Its item's id. */
  items: Int32Array;
  userNames: IdTable;
  catalogue: CatalogueItem[];
}

/**
 * @param catalogue the source's items
 * @param plain whether HTML is taken out of the texts
 * @throws InputError if nothing is left, or too few items at the widest dates
 */
export function select(data: Interactions, catalogue: Catalogue, rules: Rules, plain: boolean): SelectionInMemory {
  const removed = nothingRemoved(catalogue.duplicates);
  const good = goodItems(catalogue.items, rules.titleWords, plain, data.itemNames, removed);
  const stands = flagged(good, data.itemNames.size);
  // Without a least number of items the dates stay: nothing is later than that.
  const earliest = rules.minItems > 0 ? data.times.reduce((a, b) => Math.min(a, b), Infinity) : Infinity;
  const found = atWidest(rules, removed, { length: data.length, earliest }, (now, tried) => {
    const kept = takeCore(data, withinBounds(data, now, stands, tried), now, tried);
    const { ids, listed } = renumberItems(good, flagsOf(data, kept));
    return { interactions: kept.length, items: listed.length, kept, ids, listed, now, tried };
  });
  const counts = nothingPlain();
  const items = Array.from(found.listed, (at) => catalogue.items[at]!);
  return {
    ...renumber(data, found.kept, found.ids),
    timed: data.timed,
    userNames: data.userNames,
    catalogue: plain ? items.map((item) => plainItem(item, counts)) : items,
    removed: found.tried,
    plain: counts,
    rules: found.now,
  };
}

/** What is left at some dates. */
export interface Attempt {
  interactions: number;
  items: number;
}

/**
 * The first dates, moved back a year at a time, at which enough is left.
 * @param removed what no dates change
 * @param data how many interactions there are, and the time of the earliest; infinite where the dates stay
 * @param attempt adds to the second argument what these dates remove
 * @throws InputError if nothing is left, or too few items at the widest dates
 */
export function atWidest<T extends Attempt>(
  rules: Rules,
  removed: Removed,
  { length, earliest }: { length: number; earliest: number },
  attempt: (rules: Rules, removed: Removed) => T,
): T {
  for (let now = rules; ; now = widened(now)) {
    const tried = { ...removed };
    const found = attempt(now, tried);
    if (found.items >= rules.minItems && found.interactions > 0) return found;
    if (now.start > earliest) continue;
    if (found.interactions === 0) throw nothingLeft(length, tried, now);
    throw new InputError(
      `filter: expected ${rules.minItems} items, got ${found.items} with all dates since the first review; lower --min-items, --user-k or --item-k`,
    );
  }
}

/**
 * Ids of the items that are left, in the order of the catalogue.
 * @param good of each item of the catalogue its number, or -1
 * @param isBought whether an item of that number is left
 * @returns ids by number, and places in the catalogue by id
 */
export function renumberItems(
  good: Int32Array,
  { size, isBought }: { size: number; isBought: (number: number) => boolean },
): { ids: Int32Array; listed: Int32Array } {
  const ids = new Int32Array(size).fill(-1);
  const listed = new Int32Array(good.length);
  let count = 0;
  for (const [at, number] of good.entries()) {
    if (number < 0 || !isBought(number)) continue;
    ids[number] = count;
    listed[count++] = at;
  }
  return { ids, listed: listed.slice(0, count) };
}

function flagsOf(data: Interactions, kept: Int32Array) {
  const bought = new Uint8Array(data.itemNames.size);
  for (let i = 0; i < kept.length; i++) bought[data.items[kept[i]!]!] = 1;
  return { size: bought.length, isBought: (number: number) => bought[number] === 1 };
}

function renumber(data: Interactions, kept: Int32Array, ids: Int32Array) {
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
  const blocks = () => blocksInMemory(users, items, (i) => times[order[i]!]!);
  return { length: kept.length, users, items, userOf: userOf.subarray(0, count), blocks };
}

/** Interactions of a block. */
const BLOCK = 1 << 16;

/** Columns in memory, block by block. @param timeOf an interaction */
export function* blocksInMemory(
  users: Int32Array,
  items: Int32Array,
  timeOf: (interaction: number) => number,
): Generator<SelectedBlock> {
  const times = new Float64Array(Math.min(BLOCK, users.length));
  for (let from = 0; from < users.length; from += BLOCK) {
    const length = Math.min(BLOCK, users.length - from);
    for (let i = 0; i < length; i++) times[i] = timeOf(from + i);
    yield { length, users: users.subarray(from, from + length), items: items.subarray(from, from + length), times };
  }
}

function nothingLeft(total: number, removed: Removed, { userK, itemK }: Rules): InputError {
  const reasons = Object.entries(removed).filter(([, count]) => count > 0);
  const why = reasons.map(([rule, count]) => `${rule} ${count}`).join(', ');
  return new InputError(
    `filter: nothing is left of ${total} reviews (${why}); lower --user-k (${userK}) or --item-k (${itemK}), or widen --from and --to`,
  );
}
