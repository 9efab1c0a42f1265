/** Raw review files of any known format -> columns. */
import { InputError } from '../support/index.js';
import { readBlocks } from './blocks.js';
import { type Interactions, InteractionsBuilder } from './interactions.js';
import { JsonLinesScanner, type ReviewFields } from './json-lines.js';
import { parseReview } from './reviews.js';

const AMAZON_2018: ReviewFields = {
  user: 'reviewerID',
  item: 'asin',
  time: 'unixReviewTime',
  stars: 'overall',
  perSecond: 1,
};

/**
 * @returns interactions in the order of the file
 * @throws InputError for a missing or damaged file, a broken line, a missing field: file, line and mend
 */
export async function readInteractions(path: string): Promise<Interactions> {
  const builder = new InteractionsBuilder();
  const scanner = new JsonLinesScanner(builder, AMAZON_2018, (text, line) =>
    parseReview(text, `${path}:${line}`, AMAZON_2018),
  );
  for await (const block of readBlocks(path, () => scanner.lines)) scanner.scan(block);
  if (builder.length === 0) throw new InputError(`${path}: expected reviews, got an empty file; check the path`);
  return builder.done();
}
