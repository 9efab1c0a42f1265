/**
 * Reviews as Amazon's raw files have them: one JSON object a line.
 *
 * Fields used: user, item, time, stars (0 where absent), under the names of the file's year; others are ignored. A
 * line that is broken or lacks a field is an error, not a gap: a silently shorter file would change every number.
 */
import * as aq from 'arquero';
import { InputError } from '../../support/errors.js';
import { parseObject } from './json-text.js';
import { TIME_EXPECTED, timeOf } from './times.js';
import { NAME_EXPECTED, nameOf, shown } from './values.js';

/** Names of the fields in a review's line. */
export interface ReviewFields {
  /** Name of the user's field. */
  user: string;
  /** Name of the item's field. */
  item: string;
  /** Name of the time's field. */
  time: string;
  /** Name of the rating's field. */
  stars: string;
}

const AMAZON_2018: ReviewFields = { user: 'reviewerID', item: 'asin', time: 'unixReviewTime', stars: 'overall' };

/** By format; in 2023 the item is the product (`parent_asin`), which metadata are kept by, not its variant (`asin`). */
export const REVIEW_FIELDS = {
  'amazon-2014': AMAZON_2018,
  'amazon-2018': AMAZON_2018,
  'amazon-2023': { user: 'user_id', item: 'parent_asin', time: 'timestamp', stars: 'rating' },
} as const satisfies Record<string, ReviewFields>;

/** One review. */
export interface Review {
  /** Name of the user. */
  user: string;
  /** The source's own name of the item (`asin`). */
  asin: string;
  /** Stars, 1 to 5; 0 where the file has none. */
  stars: number;
  /** Seconds since 1970, UTC. */
  time: number;
}

/** Columns `user`, `asin`, `stars`, `time`; a row is a review. */
export function reviewsTable(reviews: readonly Review[]): aq.ColumnTable {
  return aq.table({
    user: reviews.map((review) => review.user),
    asin: reviews.map((review) => review.asin),
    stars: reviews.map((review) => review.stars),
    time: reviews.map((review) => review.time),
  });
}

/**
 * One line as `fields` name it.
 * @param where file and line, for messages
 * @throws InputError for a broken line, a missing field, a time or a name that is none
 */
export function parseReview(text: string, where: string, names: ReviewFields): Review {
  const fields = parseObject(text, where);
  const time = timeOf(fields[names.time]);
  if (time === undefined) {
    throw new InputError(
      `${where}: expected ${names.time} to be ${TIME_EXPECTED}, got ${shown(fields[names.time])}; mend or remove the line`,
    );
  }
  return {
    user: idField(fields, names.user, where),
    asin: idField(fields, names.item, where),
    stars: Number(fields[names.stars] ?? 0),
    time,
  };
}

/** A user's or item's name. @throws InputError for one that is missing, empty or has white space */
export function idField(fields: Record<string, unknown>, name: string, where: string): string {
  const id = nameOf(fields[name]);
  if (id !== undefined) return id;
  throw new InputError(
    `${where}: expected ${name} to be ${NAME_EXPECTED}, got ${shown(fields[name])}; mend or remove the line`,
  );
}
