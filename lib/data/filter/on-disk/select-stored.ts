/**
 * `select` for interactions that memory does not hold: the same rules in passes over files, so that memory grows with
 * users and items, not with interactions.
 *
 * Departure in the order of the work, not in what comes of it: interactions are put in order of time first, so that
 * copies of one (equal user, item and time) are near each other, and the core keeps the order.
 */
import type { Scratch } from '../../../files/scratch.js';
import type { Catalogue, ItemList } from '../../raw/shelf.js';
import type { Rules } from '../filter-options.js';
import { flagged, goodItems, nothingRemoved, type Removed } from '../filter-rules.js';
import { nothingPlain, type PlainCounts, plainItem } from '../plain-item.js';
import { atWidest, renumberItems, type SelectedBlock, type Selection } from '../select.js';
import { coreOnDisk, type CoreFile, isKept, type Side } from './core.js';
import { RecordFile } from './record-file.js';
import { sortedByTime } from './sort-by-time.js';
import type { StoredInteractions } from './stored-interactions.js';
import { SpillingItems } from './stored-items.js';

/** How much is done in memory; for tests. */
export interface Limits {
  /** Items. */
  items: number;
  /** Interactions that are sorted at once. */
  sort?: number;
}

/** As `select`. @param scratch where the files of the selection are: it is read until they are closed */
export function selectStored(
  data: StoredInteractions,
  catalogue: Catalogue<ItemList>,
  rules: Rules,
  plain: boolean,
  scratch: Scratch,
  limits: Limits,
): Selection {
  const removed = nothingRemoved(catalogue.duplicates);
  const good = goodItems(catalogue.items, rules.titleWords, plain, data.itemNames, removed);
  const stands = flagged(good, data.itemNames.size);
  const earliest = rules.minItems > 0 ? data.records.least : Infinity;
  const found = atWidest(rules, removed, { length: data.length, earliest }, (now, tried) => {
    const core = takeStoredCore(data, stands, now, tried, scratch, limits.sort);
    const { ids, listed } = renumberItems(good, {
      size: stands.length,
      isBought: (item) => core.items.degree[item]! > 0,
    });
    const enough = listed.length >= rules.minItems && core.length > 0;
    if (!enough) core.file.close();
    return { interactions: core.length, items: listed.length, core, ids, listed, now, tried };
  });
  data.records.close();
  const counts = nothingPlain();
  return {
    ...renumberStored(found.core, data, found.ids, scratch),
    timed: data.timed,
    userNames: data.userNames,
    catalogue: keptItems(catalogue.items, found.listed, plain ? counts : undefined, new SpillingItems(scratch, limits.items)), // prettier-ignore
    removed: found.tried,
    plain: counts,
    rules: found.now,
  };
}

interface StoredCore extends CoreFile {
  /** By what is left. */
  users: Side;
  /** Likewise. */
  items: Side;
}

/** `withinBounds` and `takeCore`. @param removed is added to */
function takeStoredCore(
  data: StoredInteractions,
  stands: Uint8Array,
  rules: Rules,
  removed: Removed,
  scratch: Scratch,
  sort?: number,
): StoredCore {
  const dated = withinStoredBounds(data, stands, rules, removed, scratch);
  const total = dated.length;
  const users = { degree: new Int32Array(data.userNames.size), k: Math.max(2, rules.userK) };
  const items = { degree: new Int32Array(stands.length), k: rules.itemK };
  const unique = new RecordFile(scratch);
  const once = new TimeGroup();
  for (const { length, times, words } of sortedByTime(dated, scratch, sort)) {
    for (let i = 0; i < length; i++) {
      const [time, user, item] = [times[2 * i]!, words[4 * i + 2]!, words[4 * i + 3]!];
      if (!once.isNew(time, user, item)) continue;
      unique.push(time, user, item);
      users.degree[user]!++;
      items.degree[item]!++;
    }
  }
  removed.duplicateInteractions = total - unique.length;
  removed.usersWithOneInteraction = count(users.degree, (degree) => degree === 1);
  const several = count(users.degree, (degree) => degree > 1);
  const bought = count(items.degree, (degree) => degree > 0);
  const before = unique.length;
  const core = coreOnDisk(unique, users, items, scratch);
  removed.usersBelowK = several - count(users.degree, (degree) => degree > 0);
  removed.itemsBelowK = bought - count(items.degree, (degree) => degree > 0);
  removed.interactionsBelowK = before - core.length;
  return { ...core, users, items };
}

function count(values: Int32Array, counts: (value: number) => boolean): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) if (counts(values[i]!)) sum++;
  return sum;
}

/** Interactions within the dates, of items that are kept. */
function withinStoredBounds(
  data: StoredInteractions,
  stands: Uint8Array,
  rules: Rules,
  removed: Removed,
  scratch: Scratch,
): RecordFile {
  const { start, end } = data.timed ? rules : { start: -Infinity, end: Infinity };
  const kept = new RecordFile(scratch);
  for (const { length, times, words } of data.records.blocks()) {
    for (let i = 0; i < length; i++) {
      const time = times[2 * i]!;
      if (time < start || time >= end) removed.interactionsOutsideDates++;
      else if (stands[words[4 * i + 3]!] === 0) removed.interactionsWithoutItem++;
      else kept.push(time, words[4 * i + 2]!, words[4 * i + 3]!);
    }
  }
  return kept;
}

/** Who bought what at one time: a table that is emptied when the time moves on. */
class TimeGroup {
  private time = NaN;
  private pairs = new Int32Array(2 << 10).fill(-1);
  /** Slots that are taken. */
  private readonly taken: number[] = [];

  /** @param time never earlier than the one before */
  isNew(time: number, user: number, item: number): boolean {
    if (time !== this.time) {
      this.time = time;
      for (const slot of this.taken) this.pairs[2 * slot] = -1;
      this.taken.length = 0;
    }
    const slot = this.slotOf(user, item);
    if (this.pairs[2 * slot] === user) return false;
    this.pairs[2 * slot] = user;
    this.pairs[2 * slot + 1] = item;
    this.taken.push(slot);
    if (4 * this.taken.length > this.pairs.length) this.grow();
    return true;
  }

  /** Where the pair is, or the free slot where it belongs. */
  private slotOf(user: number, item: number): number {
    const { pairs } = this;
    const mask = (pairs.length >>> 1) - 1;
    let hash = Math.imul(user, 0x9e3779b1) ^ Math.imul(item, 0x85ebca77);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    let slot = (hash ^ (hash >>> 13)) & mask;
    while (pairs[2 * slot] !== -1 && (pairs[2 * slot] !== user || pairs[2 * slot + 1] !== item))
      slot = (slot + 1) & mask;
    return slot;
  }

  private grow(): void {
    const old = this.pairs;
    this.pairs = new Int32Array(2 * old.length).fill(-1);
    for (const [i, from] of this.taken.entries()) {
      const slot = this.slotOf(old[2 * from]!, old[2 * from + 1]!);
      this.pairs[2 * slot] = old[2 * from]!;
      this.pairs[2 * slot + 1] = old[2 * from + 1]!;
      this.taken[i] = slot;
    }
  }
}

/** Users from 0 in the order of first purchase, items by their ids. */
function renumberStored(core: StoredCore, data: StoredInteractions, ids: Int32Array, scratch: Scratch) {
  const numbers = new Int32Array(data.userNames.size).fill(-1);
  const userOf = new Int32Array(count(core.users.degree, (degree) => degree > 0));
  const records = new RecordFile(scratch);
  let users = 0;
  for (const { length, times, words } of core.file.blocks()) {
    for (let i = 0; i < length; i++) {
      const [user, item] = [words[4 * i + 2]!, words[4 * i + 3]!];
      if (!isKept(user, item, core.users, core.items)) continue;
      if (numbers[user] === -1) {
        userOf[users] = user;
        numbers[user] = users++;
      }
      records.push(times[2 * i]!, numbers[user]!, ids[item]!);
    }
  }
  core.file.close();
  return { length: records.length, userOf, blocks: () => columnsOf(records) };
}

function* columnsOf(records: RecordFile): Generator<SelectedBlock> {
  let [users, items, times] = [new Int32Array(0), new Int32Array(0), new Float64Array(0)];
  for (const block of records.blocks()) {
    if (users.length < block.length) {
      [users, items, times] = [
        new Int32Array(block.length),
        new Int32Array(block.length),
        new Float64Array(block.length),
      ];
    }
    for (let i = 0; i < block.length; i++) {
      users[i] = block.words[4 * i + 2]!;
      items[i] = block.words[4 * i + 3]!;
      times[i] = block.times[2 * i]!;
    }
    yield { length: block.length, users, items, times };
  }
}

/** @param listed places in the catalogue, ascending @param counts of texts that had HTML; undefined to leave it in */
function keptItems(
  items: ItemList,
  listed: Int32Array,
  counts: PlainCounts | undefined,
  into: SpillingItems,
): ItemList {
  let at = 0;
  for (const item of items) {
    if (listed[into.length] === at++) into.push(counts ? plainItem(item, counts) : item);
  }
  return into;
}
