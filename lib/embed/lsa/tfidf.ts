/**
 * Texts -> sparse TF-IDF rows of unit length.
 *
 * Follows scikit-learn's TfidfVectorizer (lower case, words of two or more letters, digits or underscores, smoothed
 * inverse document frequency `ln((1 + N) / (1 + df)) + 1`, rows of length 1, terms in order of their code points).
 * Departures:
 *   1. term counts are damped by default (`1 + ln tf`, its `sublinear_tf`), for item texts repeat their keywords,
 *      and English stop words are left out (a list of our own);
 *   2. letters are Unicode's L and N classes, with marks; Python's `\w` differs in rare scripts.
 *
 * Shapes: N texts, V terms, E entries that are not zero.
 */
import { STOP_WORDS } from './stop-words.js';
import { TFIDF_OPTIONS, type TfidfOptions } from '../embed-options.js';
import { defineOptions } from '../../options/schema.js';

const SCHEMA = defineOptions('tfidf', TFIDF_OPTIONS);

/** Compressed sparse rows: row i holds the entries `start[i] .. start[i + 1] - 1`. */
export interface SparseRows {
  /** N */
  rows: number;
  /** V */
  width: number;
  /** [N + 1] */
  start: Uint32Array;
  /** Column of each entry, ascending within a row [E] */
  column: Uint32Array;
  /** [E] */
  value: Float32Array;
}

/** Weighted term counts. N texts, V terms. */
export interface Tfidf {
  /** [N, V] */
  matrix: SparseRows;
  /** Term of each column [V] */
  terms: string[];
}

const WORD = /[\p{L}\p{N}\p{M}_]{2,}/gu;

/** `"Hex Bolts, M8"` -> `["hex", "bolts", "m8", ...]`, with runs up to `ngrams` words; stop words leave no gap */
export function termsOf(text: string, ngrams = 1, stopWords = false): string[] {
  const found: string[] = text.toLowerCase().match(WORD) ?? [];
  const words = stopWords ? found.filter((word) => !STOP_WORDS.has(word)) : found;
  const terms: string[] = [...words];
  for (let n = 2; n <= ngrams; n++) {
    for (let i = 0; i + n <= words.length; i++) terms.push(words.slice(i, i + n).join(' '));
  }
  return terms;
}

/**
 * @returns rows of length 1; a text without a term gets an empty row
 * @throws RangeError for an option out of range
 */
export function tfidf(texts: readonly string[], options: TfidfOptions = {}): Tfidf {
  const { sublinearTf, stopWords, minDf, maxDf, ngrams } = SCHEMA.parse(options);
  const counts = texts.map((text) => countTerms(termsOf(text, ngrams, stopWords)));
  const frequency = new Map<string, number>();
  for (const row of counts) for (const term of row.keys()) frequency.set(term, (frequency.get(term) ?? 0) + 1);
  const terms = [...frequency.keys()]
    .filter((term) => frequency.get(term)! >= minDf && frequency.get(term)! <= maxDf * texts.length)
    .sort((a, b) => (a < b ? -1 : 1));
  const idf = terms.map((term) => Math.log((1 + texts.length) / (1 + frequency.get(term)!)) + 1);
  const columns = new Map(terms.map((term, j) => [term, j]));
  return { matrix: weigh(counts, columns, idf, sublinearTf), terms };
}

function countTerms(terms: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
  return counts;
}

function weigh(
  counts: readonly Map<string, number>[],
  columns: ReadonlyMap<string, number>,
  idf: readonly number[],
  sublinear: boolean,
): SparseRows {
  const start = new Uint32Array(counts.length + 1);
  const column: number[] = [];
  const value: number[] = [];
  counts.forEach((row, i) => {
    const entries: [number, number][] = [];
    for (const [term, count] of row) {
      const j = columns.get(term);
      if (j !== undefined) entries.push([j, (sublinear ? 1 + Math.log(count) : count) * idf[j]!]);
    }
    const length = Math.sqrt(entries.reduce((sum, [, weight]) => sum + weight * weight, 0));
    for (const [j, weight] of entries.sort((a, b) => a[0] - b[0])) {
      column.push(j);
      value.push(weight / length);
    }
    start[i + 1] = column.length;
  });
  return {
    rows: counts.length,
    width: columns.size,
    start,
    column: Uint32Array.from(column),
    value: Float32Array.from(value),
  };
}
