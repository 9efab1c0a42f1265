/**
 * The default encoder: latent semantic analysis of item texts. It needs no network, no model and a few seconds.
 *
 * Follows Deerwester et al., "Indexing by latent semantic analysis" (JASIS 1990), with scikit-learn's conventions
 * (TfidfVectorizer, TruncatedSVD). Departures:
 *   1. rows are scaled to length 1;
 *   2. a text without a term gets a row of zeros: it is like nothing, itself included.
 *
 * Shapes: N texts, D width.
 */
import type { Vectors } from '../../files/npy.js';
import { InputError } from '../../support/errors.js';
import { tfidf } from './tfidf.js';
import { truncatedSvd } from './truncated-svd.js';
import { LSA_OPTIONS, type LsaOptions } from '../embed-options.js';
import { defineOptions } from '../../options/schema.js';

const SCHEMA = defineOptions('lsa', LSA_OPTIONS);

/** Vectors of texts by latent semantic analysis. */
export interface Lsa {
  /** [N, D] rows of length 1 or 0 */
  vectors: Vectors;
  /** Singular values, largest first [D] */
  singular: Float64Array;
  /** Number of different terms. */
  terms: number;
  /** Texts without a term. */
  empty: number;
}

/**
 * @throws InputError if no text has a term, there are fewer than two texts, or width is out of range
 */
export function lsa(texts: readonly string[], options: LsaOptions = {}): Lsa {
  const { width: wanted, seed, iterations, ...terming } = SCHEMA.parse(options);
  if (texts.length < 2) throw new InputError(`lsa: expected at least 2 texts, got ${texts.length}; add items`);
  const { matrix, terms } = tfidf(texts, terming);
  if (terms.length === 0) throw withoutTerms(terming);
  const most = Math.min(texts.length - 1, terms.length);
  const width = wanted ?? Math.min(384, most, Math.max(2, Math.ceil(texts.length / 4)));
  if (width > most) {
    throw new InputError(
      `lsa: expected a width from 1 to ${most} (${texts.length} texts, ${terms.length} terms), got ${width}`,
    );
  }
  const { projected, singular } = truncatedSvd(matrix, { width, seed, iterations });
  const empty = texts.filter((_, i) => matrix.start[i] === matrix.start[i + 1]).length;
  return {
    vectors: { rows: texts.length, width, data: unitRows(projected, width) },
    singular,
    terms: terms.length,
    empty,
  };
}

function withoutTerms({ minDf, maxDf }: { minDf: number; maxDf: number }): InputError {
  if (minDf === 1 && maxDf === 1)
    return new InputError('lsa: expected texts with words, got none; give the items titles');
  return new InputError(
    `lsa: expected words in ${minDf} texts or more and in a share of at most ${maxDf}, got none; lower --min-df or raise --max-df`,
  );
}

/** Scales rows to length 1 in place; rows of zeros stay. [N * D] */
function unitRows(data: Float32Array, width: number): Float32Array {
  for (let from = 0; from < data.length; from += width) {
    const row = data.subarray(from, from + width);
    let squares = 0;
    for (const x of row) squares += x * x;
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let j = 0; j < width; j++) row[j]! *= scale;
  }
  return data;
}
