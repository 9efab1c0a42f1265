/**
 * `NAME.review.json`: what users wrote of the interactions that were kept, as MiniOneRec's Amazon processing writes it:
 * `{"(user, item, seconds)": {"review": ..., "summary": ...}}`, numbers as in `NAME.user2id` and `NAME.item2id`.
 *
 * Departure: of interactions with equal user, item and time the first is kept, as the filter keeps it.
 */
import type { Encoding } from '../../files/encoding.js';
import { readLines } from '../../files/files.js';
import { inputFiles } from '../../files/input-files.js';
import { InputError } from '../../support/errors.js';
import { plainText } from '../raw/html.js';
import { parseObject } from '../raw/json-text.js';
import type { RawFormat } from '../raw/format-names.js';
import { parseReview, REVIEW_FIELDS } from '../raw/reviews.js';
import { textOf } from '../raw/values.js';
import type { SelectionInMemory } from './select.js';

/** Fields of a review's texts, the preferred first: those of 2014 and 2018, those of 2023. */
const TEXT_FIELDS = { review: ['reviewText', 'text'], summary: ['summary', 'title'] } as const;

/**
 * @param path the interactions, which are read once more
 * @param plain whether HTML is taken out
 * @returns the file in pieces
 * @throws InputError for a format that has no texts
 */
export async function reviewPieces(
  path: string,
  format: RawFormat,
  selection: SelectionInMemory,
  plain: boolean,
  encoding?: Encoding,
): Promise<string[]> {
  if (format !== 'amazon-2014' && format !== 'amazon-2018' && format !== 'amazon-2023') {
    throw new InputError(`filter: expected Amazon's JSON lines for --review-texts, got ${format}; leave it out`);
  }
  const idOf = idsOf(selection);
  const text = (line: Record<string, unknown>, names: readonly string[]): string => {
    const found = names.map((name) => textOf(line[name], ' ') ?? '').find((value) => value !== '') ?? '';
    return (plain ? plainText(found) : found).replace(/\s+/g, ' ').trim();
  };
  const seen = new Set<string>();
  const pieces: string[] = [];
  for await (const { text: line, where } of linesOf(path, encoding)) {
    const review = parseReview(line, where, REVIEW_FIELDS[format]);
    const [user, item] = [idOf.user(review.user), idOf.item.get(review.asin)];
    const within = review.time >= selection.rules.start && review.time < selection.rules.end;
    if (user === undefined || item === undefined || !within) continue;
    const key = `(${user}, ${item}, ${Math.floor(review.time)})`;
    if (seen.has(key)) continue;
    seen.add(key);
    const fields = parseObject(line, path);
    const value = { review: text(fields, TEXT_FIELDS.review), summary: text(fields, TEXT_FIELDS.summary) };
    pieces.push(`${pieces.length === 0 ? '{' : ','}\n${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  }
  return [...pieces, '\n}\n'];
}

async function* linesOf(path: string, encoding?: Encoding): AsyncGenerator<{ text: string; where: string }> {
  for (const file of inputFiles(path)) {
    for await (const { text, number } of readLines(file, encoding)) yield { text, where: `${file}:${number}` };
  }
}

/** Numbers of users and items by the source's names; what was not kept has none. */
function idsOf({ userNames, userOf, catalogue }: SelectionInMemory) {
  const users = new Map(Array.from(userOf, (name, user) => [name, user] as const));
  return {
    user: (name: string) => users.get(userNames.find(name)),
    item: new Map(catalogue.map(({ asin }, id) => [asin, id] as const)),
  };
}
