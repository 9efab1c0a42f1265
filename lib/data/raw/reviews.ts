/**
 * Reviews of a shop as Amazon's raw files have them: one JSON object a line.
 *
 * Fields used: user, item, time, stars (0 where absent), under the names of the file's year; others are ignored. A
 * line that is broken or lacks a field is an error, not a gap: a silently shorter file would change every number.
 */
import * as aq from 'arquero';
import { InputError } from '../../support/errors.js';

/** Names of the fields; the time's unit is `perSecond` parts of a second. */
export interface ReviewFields {
  user: string;
  item: string;
  time: string;
  stars: string;
  perSecond: number;
}

export interface Review {
  user: string;
  /** The shop's own name of the item (`asin`). */
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

/** One line as `fields` name it. @throws InputError for a broken line or a missing field */
export function parseReview(text: string, where: string, names: ReviewFields): Review {
  const fields = parseObject(text, where);
  const time = Number(fields[names.time] ?? NaN);
  if (!Number.isFinite(time)) {
    const unit = names.perSecond === 1 ? 'seconds' : 'milliseconds';
    throw new InputError(
      `${where}: expected ${names.time} in ${unit}, got ${JSON.stringify(fields[names.time])}; mend or remove the line`,
    );
  }
  return {
    user: idField(fields, names.user, where),
    asin: idField(fields, names.item, where),
    stars: Number(fields[names.stars] ?? 0),
    time: time / names.perSecond,
  };
}

/** One line of a JSONL file. @throws InputError unless it is a JSON object */
export function parseObject(text: string, where: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new InputError(`${where}: not valid JSON (${shorten(text)}); mend or remove the line`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InputError(`${where}: expected a JSON object, got ${shorten(text)}; mend or remove the line`);
  }
  return value as Record<string, unknown>;
}

/** A name without white space, since ids stand in tab- and space-separated files. */
export function idField(fields: Record<string, unknown>, name: string, where: string): string {
  const value = fields[name];
  if (typeof value === 'string' && /^\S+$/.test(value)) return value;
  throw new InputError(
    `${where}: expected ${name} to be text without spaces, got ${JSON.stringify(value)}; mend or remove the line`,
  );
}

function shorten(text: string): string {
  const plain = text.replace(/\p{Cc}+/gu, ' ');
  return plain.length > 60 ? `${plain.slice(0, 60)}...` : plain;
}
