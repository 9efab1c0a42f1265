/**
 * What a history says about a customer, in one sentence made by rule: the brands, categories and title words that
 * come most often.
 *
 * MiniOneRec's preference tasks read texts that a large model wrote of a history and what followed it. Departure: this
 * sentence knows the history alone, so that it cannot tell what comes next, and needs no other model.
 */
import type { ItemText } from '../data/item-text.js';

const NOT_TELLING = new Set(
  'the and for with from this that your into per pack set pcs piece pieces inch inches of in to by on or'.split(' '),
);

/**
 * @param history oldest first @returns '' for an empty history
 * @example 'They come back to Stanley, shop in Tools and look for staples and steel.'
 */
export function preferenceText(history: readonly ItemText[]): string {
  if (history.length === 0) return '';
  const brands = most(
    history.map(({ brand }) => [brand]),
    2,
  );
  const categories = most(
    history.map(({ categories }) => [categories]),
    1,
  );
  const words = most(
    history.map(({ title }) => wordsOf(title)),
    3,
  );
  const parts = [
    ...(brands.length > 0 ? [`come back to ${list(brands)}`] : []),
    ...(categories.length > 0 ? [`shop in ${list(categories)}`] : []),
    ...(words.length > 0 ? [`look for ${list(words)}`] : []),
  ];
  return parts.length === 0 ? 'Their taste is not known yet.' : `They ${list(parts)}.`;
}

function wordsOf(title: string): string[] {
  const words = title.toLowerCase().match(/\p{L}{3,}/gu); // null where there is none
  return [...new Set(words)].filter((word) => !NOT_TELLING.has(word));
}

/** The most frequent texts; equally frequent ones, the later in the history first. */
function most(groups: readonly (readonly string[])[], count: number): string[] {
  const seen = new Map<string, { times: number; last: number }>();
  groups.flat().forEach((text, last) => {
    if (text !== '') seen.set(text, { times: (seen.get(text)?.times ?? 0) + 1, last });
  });
  const sorted = [...seen].sort(([, a], [, b]) => b.times - a.times || b.last - a.last);
  return sorted.slice(0, count).map(([text]) => text);
}

/** @example list(['a', 'b', 'c']) // 'a, b and c' */
function list(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)!}`;
}
