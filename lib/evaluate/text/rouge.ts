/**
 * ROUGE: how much of the reference a text says.
 *
 * Follows Lin, "ROUGE: a package for automatic evaluation of summaries" (ACL workshop 2004), with the words and numbers
 * of the Python package rouge-score: lower case, runs of a-z and 0-9, words of more than three letters stemmed.
 */
import { ngramCounts } from './ngrams.js';
import { porterStem } from './porter-stem.js';

/** All in [0, 1]. */
export interface RougeScore {
  /** Share of the text that occurs in the reference. */
  precision: number;
  /** Share of the reference that occurs in the text. */
  recall: number;
  /** Harmonic mean of the two, 0 where both are. */
  f: number;
}

/** ROUGE of a text against the expected one. */
export interface RougeScores {
  /** Words, as often as they are in both. */
  rouge1: RougeScore;
  /** Pairs of words that follow one another. */
  rouge2: RougeScore;
  /** Longest common subsequence: words in the same order, with gaps. */
  rougeL: RougeScore;
}

/** Options of `rouge`. */
export interface RougeOptions {
  /** Stem words of more than three letters. Default true. */
  stem?: boolean;
}

/**
 * A text without a word of a-z or 0-9 scores 0 (so does its reference: rouge-score knows no other letters).
 *
 * @example rouge('a steel kettle for tea', 'steel kettles')
 * // words 2 of 2 and 2 of 5: rouge1 and rougeL { precision: 1, recall: 0.4, f: 0.5714 }; pairs 1 of 1 and 1 of 4
 */
export function rouge(reference: string, text: string, options: RougeOptions = {}): RougeScores {
  const [expected, words] = [rougeWords(reference, options), rougeWords(text, options)];
  return {
    rouge1: ngramScore(expected, words, 1),
    rouge2: ngramScore(expected, words, 2),
    rougeL: score(longestCommon(expected, words), words.length, expected.length),
  };
}

/** @example rougeWords("The grinder's blades") // ['the', 'grinder', 's', 'blade'] */
export function rougeWords(text: string, { stem = true }: RougeOptions = {}): string[] {
  const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return stem ? words.map((word) => (word.length > 3 ? porterStem(word) : word)) : words;
}

function ngramScore(expected: readonly string[], words: readonly string[], n: number): RougeScore {
  const counts = ngramCounts(words, n);
  let matches = 0;
  for (const [ngram, count] of ngramCounts(expected, n)) matches += Math.min(count, counts.get(ngram) ?? 0);
  return score(matches, words.length - n + 1, expected.length - n + 1);
}

function score(matches: number, said: number, expected: number): RougeScore {
  const precision = matches / Math.max(1, said);
  const recall = matches / Math.max(1, expected);
  return { precision, recall, f: matches === 0 ? 0 : (2 * precision * recall) / (precision + recall) };
}

/** Words of the longest common subsequence, by one row of its table. */
function longestCommon(a: readonly string[], b: readonly string[]): number {
  const row = new Int32Array(b.length + 1);
  for (const word of a) {
    let corner = 0; // of the row before
    for (let j = 1; j <= b.length; j++) {
      const above = row[j]!;
      row[j] = word === b[j - 1] ? corner + 1 : Math.max(above, row[j - 1]!);
      corner = above;
    }
  }
  return row[b.length]!;
}
