/** Texts to words, and words to n-grams. */

/** White space as Python's `str.split()` knows it. */
const BLANKS = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

/** Lower-cased, parted at white space: the words of BLEU. @example splitWords('A steel  Kettle') // ['a', 'steel', 'kettle'] */
export function splitWords(text: string): string[] {
  return text
    .toLowerCase()
    .split(BLANKS)
    .filter((word) => word !== '');
}

/** How often each run of n words occurs in a text; the words of a key are separated by NUL, which no word holds. */
export function ngramCounts(words: readonly string[], n: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let at = 0; at + n <= words.length; at++) {
    const key = words.slice(at, at + n).join('\0');
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/**
 * Distinct n-grams of all texts as a share of all their n-grams: low where a model says the same over and over
 * (Li et al., "A diversity-promoting objective function for neural conversation models", NAACL 2016). None: 0.
 *
 * @example distinct([['a', 'b'], ['a', 'c']], 1) // 0.75: a, b, c of four
 */
export function distinct(texts: readonly (readonly string[])[], n: number): number {
  const all = new Map<string, number>();
  for (const text of texts) for (const [key, count] of ngramCounts(text, n)) all.set(key, (all.get(key) ?? 0) + count);
  const total = [...all.values()].reduce((sum, count) => sum + count, 0);
  return total === 0 ? 0 : all.size / total;
}
