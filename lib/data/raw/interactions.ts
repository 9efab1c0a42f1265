/**
 * Interactions as columns: who bought what, and when. Twenty bytes an interaction, whatever the names' lengths.
 */
import * as aq from 'arquero';
import { InputError } from '../../support/errors.js';
import type { RawFormat } from './format-names.js';
import { grown, IdTable } from './id-table.js';
import type { Review } from './reviews.js';
import { TIME_EXPECTED, timeOf } from './times.js';
import { NAME_EXPECTED, nameOf, shown } from './values.js';

/** Who bought what, and when; the columns are equally long. */
export interface Interactions {
  /** How many there are. */
  length: number;
  /** Numbers of the users; index = interaction, in the order of the file. */
  users: Int32Array;
  /** Numbers of the items. */
  items: Int32Array;
  /** Seconds since 1970, UTC; where the source has no times, the place in the user's own order. */
  times: Float64Array;
  /** Stars; 0 where the source has none. */
  stars: Float32Array;
  /** Names of the users, by id. */
  userNames: IdTable;
  /** The source's own names of the items. */
  itemNames: IdTable;
  /** False where the source gives an order a user, but no clock: no dates, no order between users. */
  timed: boolean;
  /** Where they come from; missing for interactions made in memory. */
  format?: RawFormat;
}

/** What readers put interactions into, one by one. */
export interface InteractionSink {
  /** Names of the users, by id. */
  readonly userNames: IdTable;
  /** Names of the items, by id. */
  readonly itemNames: IdTable;
  /** Whether interactions have times. */
  timed: boolean;
  /** Interactions so far. */
  readonly length: number;
  /** By the numbers that `userNames` and `itemNames` gave. */
  add(user: number, item: number, time: number, stars: number): void;
}

/** Collects interactions in memory; the arrays grow by doubling. */
export class InteractionsBuilder implements InteractionSink {
  /** Names of the users, by id. */
  readonly userNames = new IdTable();
  /** Names of the items, by id. */
  readonly itemNames = new IdTable();
  /** Whether interactions have times. */
  timed = true;
  /** Interactions so far. */
  length = 0;
  private users = new Int32Array(1 << 12);
  private items = new Int32Array(1 << 12);
  private times = new Float64Array(1 << 12);
  private stars = new Float32Array(1 << 12);

  add(user: number, item: number, time: number, stars: number): void {
    const at = this.length++;
    if (at === this.users.length) this.grow();
    this.users[at] = user;
    this.items[at] = item;
    this.times[at] = time;
    this.stars[at] = stars;
  }

  /** The columns; nothing may be added afterwards. */
  done(): Interactions {
    const { length, userNames, itemNames, timed } = this;
    return {
      length,
      users: this.users.subarray(0, length),
      items: this.items.subarray(0, length),
      times: this.times.subarray(0, length),
      stars: this.stars.subarray(0, length),
      userNames,
      itemNames,
      timed,
    };
  }

  private grow(): void {
    const length = 2 * this.users.length;
    this.users = grown(this.users, length);
    this.items = grown(this.items, length);
    this.times = grown(this.times, length);
    this.stars = grown(this.stars, length);
  }
}

/** A review as a table or a program may hold it: names may be numbers, times whatever `timeOf` reads. */
export type LooseReview = { [field in keyof Review]?: unknown };

/**
 * Reviews made in memory, or rows of a table, as columns.
 * @throws InputError for a name or a time that is none: the row and the mend
 */
export function fromReviews(reviews: Iterable<LooseReview>): Interactions {
  const builder = new InteractionsBuilder();
  let row = 0;
  for (const { user, asin, time, stars } of reviews) {
    row++;
    const found = { user: nameOf(user), asin: nameOf(asin), time: timeOf(time) };
    if (found.user === undefined) throw wrong(row, 'user', NAME_EXPECTED, user);
    if (found.asin === undefined) throw wrong(row, 'asin', NAME_EXPECTED, asin);
    if (found.time === undefined) throw wrong(row, 'time', TIME_EXPECTED, time);
    const { userNames, itemNames } = builder;
    builder.add(userNames.id(found.user), itemNames.id(found.asin), found.time, Number(stars ?? 0));
  }
  return builder.done();
}

function wrong(row: number, field: string, expected: string, got: unknown): InputError {
  return new InputError(
    `filter: review ${row}: expected ${field} to be ${expected}, got ${shown(got)}; mend or remove the review`,
  );
}

/** Columns `user`, `asin`, `stars`, `time`; a row is an interaction. */
export function interactionsTable(data: Interactions): aq.ColumnTable {
  const [users, items] = [data.userNames.list(), data.itemNames.list()];
  return aq.table({
    user: Array.from(data.users, (user) => users[user]!),
    asin: Array.from(data.items, (item) => items[item]!),
    stars: Array.from(data.stars),
    time: Array.from(data.times),
  });
}
