/**
 * Reviews of a shop in the shape of Amazon's 2018 raw files: one JSON object a line, plain or gzip.
 *
 * Fields used: `reviewerID`, `asin`, `unixReviewTime` (seconds), `overall` (stars; 0 where absent). Others are ignored.
 * A line that is broken or lacks a field is an error, not a gap: a silently shorter file would change every number.
 */
import * as aq from 'arquero';
import { InputError, readLines } from '../support/index.js';

export interface Review {
  user: string;
  /** The shop's own name of the item (`asin`). */
  asin: string;
  /** Stars, 1 to 5; 0 where the file has none. */
  stars: number;
  /** Seconds since 1970, UTC. */
  time: number;
}

/**
 * @returns reviews in the order of the file
 * @throws InputError for a missing or damaged file, a broken line, a missing field: file, line and mend
 */
export async function readReviews(path: string): Promise<Review[]> {
  const reviews: Review[] = [];
  for await (const { text, number } of readLines(path)) reviews.push(parseReview(text, `${path}:${number}`));
  if (reviews.length === 0) throw new InputError(`${path}: expected reviews, got an empty file; check the path`);
  return reviews;
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

function parseReview(text: string, where: string): Review {
  const fields = parseObject(text, where);
  const time = Number(fields.unixReviewTime ?? NaN);
  if (!Number.isFinite(time)) {
    throw new InputError(
      `${where}: expected unixReviewTime in seconds, got ${JSON.stringify(fields.unixReviewTime)}; mend or remove the line`,
    );
  }
  return {
    user: idField(fields, 'reviewerID', where),
    asin: idField(fields, 'asin', where),
    stars: Number(fields.overall ?? 0),
    time,
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
