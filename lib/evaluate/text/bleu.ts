/**
 * BLEU: how many of a text's n-grams are in the reference.
 *
 * Follows Papineni et al., "BLEU: a method for automatic evaluation of machine translation" (ACL 2002), and NLTK's
 * `corpus_bleu` and `sentence_bleu` with one reference a text. Departure: without smoothing an order without a match
 * makes the whole 0 (NLTK gives 1e-77 or so).
 *
 *     BLEU = min(1, exp(1 - r / c)) * exp(sum over n = 1..N of log(p_n) / N)
 *
 * c and r: words of the texts and of their references; p_n = n-grams that match / n-grams of the texts, over all texts
 * together. An n-gram matches at most as often as it occurs in its own reference. A text shorter than n counts one
 * n-gram that does not match.
 */
import { ngramCounts } from './ngrams.js';

/**
 * What an order without a match counts as (Chen & Cherry, WMT 2014; the numbers are those of NLTK's methods):
 * `method1`: 0.1 matches; `method2`: every order above the first gains a match and an n-gram; `method3`: 1/2, 1/4 ...
 * of a match, halved with each such order; `method4`: the same times log(c) / 5, and orders that are 0 still (c = 1)
 * are passed over.
 */
export type BleuSmoothing = 'none' | 'method1' | 'method2' | 'method3' | 'method4';

/** Options of `corpusBleu` and `sentenceBleu`. */
export interface BleuOptions {
  /** N, the longest n-gram. Default 4. */
  order?: number;
  /** Default `none`. */
  smoothing?: BleuSmoothing;
}

interface Precision {
  matches: number;
  total: number;
}

/**
 * BLEU of all texts together, in [0, 1]. No texts: 0.
 * @param references words [texts][...] @param texts words, one text a reference
 *
 * @example corpusBleu([['a', 'steel', 'kettle', 'for', 'tea']], [['a', 'steel', 'kettle', 'for', 'two']])
 * // 0.6687: p = 4/5, 3/4, 2/3, 1/2; lengths are equal; (4/5 * 3/4 * 2/3 * 1/2) ** (1/4) = 0.2 ** 0.25
 */
export function corpusBleu(
  references: readonly (readonly string[])[],
  texts: readonly (readonly string[])[],
  options: BleuOptions = {},
): number {
  const { order = 4, smoothing = 'none' } = options;
  if (references.length !== texts.length) {
    throw new Error(`corpusBleu: expected ${references.length} texts, one a reference, got ${texts.length}`);
  }
  const orders = Array.from({ length: order }, (_, i) => i + 1);
  const precisions = orders.map((n) => sum(texts.map((text, t) => precision(references[t]!, text, n))));
  if (!precisions[0]?.matches) return 0;
  const length = texts.reduce((total, text) => total + text.length, 0);
  const expected = references.reduce((total, reference) => total + reference.length, 0);
  const brevity = length > expected ? 1 : Math.exp(1 - expected / length);
  const shares = smooth(precisions, smoothing, length);
  if (smoothing === 'none' && shares.includes(0)) return 0;
  const logs = shares.filter((share) => share > 0).map((share) => Math.log(share) / order);
  return brevity * Math.exp(logs.reduce((total, log) => total + log, 0));
}

/** BLEU of one text by itself; see `corpusBleu`. */
export function sentenceBleu(reference: readonly string[], text: readonly string[], options: BleuOptions = {}): number {
  return corpusBleu([reference], [text], options);
}

function precision(reference: readonly string[], text: readonly string[], n: number): Precision {
  const expected = ngramCounts(reference, n);
  let matches = 0;
  let total = 0;
  for (const [ngram, count] of ngramCounts(text, n)) {
    matches += Math.min(count, expected.get(ngram) ?? 0);
    total += count;
  }
  return { matches, total: Math.max(1, total) };
}

function sum(precisions: readonly Precision[]): Precision {
  return precisions.reduce((a, b) => ({ matches: a.matches + b.matches, total: a.total + b.total }), {
    matches: 0,
    total: 0,
  });
}

/** @param length words of all texts @returns p_n of each order */
function smooth(precisions: readonly Precision[], smoothing: BleuSmoothing, length: number): number[] {
  let without = 0; // orders so far without a match
  return precisions.map(({ matches, total }, i) => {
    const share = matches / total;
    if (smoothing === 'method2') return i === 0 ? share : (matches + 1) / (total + 1);
    if (matches > 0) return share;
    without++;
    switch (smoothing) {
      case 'none':
        return 0;
      case 'method1':
        return 0.1 / total;
      case 'method3':
        return 1 / 2 ** without / total;
      case 'method4':
        return Math.log(length) / (5 * 2 ** without) / total;
      default:
        throw new Error(`bleu: unknown smoothing ${String(smoothing satisfies never)}`);
    }
  });
}
