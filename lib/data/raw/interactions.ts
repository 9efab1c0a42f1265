/**
 * Interactions as columns: who bought what, and when. Twenty bytes an interaction, whatever the names' lengths.
 */
import * as aq from 'arquero';
import { grown, IdTable } from './id-table.js';
import type { Review } from './reviews.js';

export interface Interactions {
  length: number;
  /** Numbers of the users; index = interaction, in the order of the file. */
  users: Int32Array;
  /** Numbers of the items. */
  items: Int32Array;
  /** Seconds since 1970, UTC; where the source has no times, the place in the user's own order. */
  times: Float64Array;
  /** Stars; 0 where the source has none. */
  stars: Float32Array;
  userNames: IdTable;
  /** The shop's own names of the items. */
  itemNames: IdTable;
  /** False where the source gives an order a user, but no clock: no dates, no order between users. */
  timed: boolean;
}

/** Collects interactions one by one; the arrays grow by doubling. */
export class InteractionsBuilder {
  readonly userNames = new IdTable();
  readonly itemNames = new IdTable();
  timed = true;
  length = 0;
  private users = new Int32Array(1 << 12);
  private items = new Int32Array(1 << 12);
  private times = new Float64Array(1 << 12);
  private stars = new Float32Array(1 << 12);

  /** By the numbers that `userNames` and `itemNames` gave. */
  add(user: number, item: number, time: number, stars: number): void {
    const at = this.length++;
    if (at === this.users.length) this.grow();
    this.users[at] = user;
    this.items[at] = item;
    this.times[at] = time;
    this.stars[at] = stars;
  }

  addReview({ user, asin, time, stars }: Review): void {
    this.add(this.userNames.id(user), this.itemNames.id(asin), time, stars);
  }

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

export function fromReviews(reviews: Iterable<Review>): Interactions {
  const builder = new InteractionsBuilder();
  for (const review of reviews) builder.addReview(review);
  return builder.done();
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
