/**
 * BERTScore: how like a text is to its answer, token by token in the space of an encoder.
 *
 * Follows Zhang et al., "BERTScore: evaluating text generation with BERT" (ICLR 2020, arXiv 1904.09675), equations 1 to
 * 3, and the authors' package bert_score: x are the unit vectors of the answer's tokens, y those of the text's,
 *
 *     R = sum over i of w_i * max over j of x_i . y_j / sum over i of w_i
 *     P = sum over j of w_j * max over i of x_i . y_j / sum over j of w_j        F = 2 P R / (P + R)
 *
 * w is 1, or a token's idf. The special tokens at both ends of a text weigh nothing, but another token may be likest to
 * one of them, as in the package. Departures from it:
 *   1. vectors are the encoder's last layer; the package takes a layer tuned for each of its models, and may rescale by
 *      a baseline. Numbers compare only where the encoder is the same;
 *   2. where all weights of a text are 0 (under idf: tokens that every answer has), the row scores 0, not NaN;
 *   3. dot products are summed in float64, and a token whose vector is all zeros is like nothing;
 *   4. texts are tokenized as the encoder's own library does, without the blank that the package puts before a text for
 *      RoBERTa and GPT-2.
 *
 * Shapes: N rows, T tokens of a text, D width.
 */
import type { LengthBatchesOptions } from '../../embed/embed-options.js';
import { lengthBatches } from '../../embed/sentence/length-batches.js';
import { type TokenEncoder, tokenVectors } from '../../embed/sentence/token-vectors.js';
import type { Vectors } from '../../files/npy.js';
import { startProgress } from '../../support/progress.js';
import { largest } from '../../support/extremes.js';

/** In [-1, 1]; of real encoders mostly well above 0. */
export interface BertScore {
  /** How like the text's tokens are to the answer's. */
  precision: number;
  /** How like the answer's tokens are to the text's. */
  recall: number;
  /** Harmonic mean of the two. */
  f: number;
}

/** Options of `bertScores`. */
export interface BertScoreOptions extends LengthBatchesOptions {
  /** Weigh each token by its inverse document frequency among the answers. Default false: all alike. */
  idf?: boolean;
}

/** Vectors of a text's tokens [T, D], and what each weighs [T]. */
export interface WeightedTokens {
  vectors: Vectors;
  weights: readonly number[];
}

/**
 * Scores of each text against its answer [N]. White space at the ends does not count, a text beyond the encoder's length
 * loses its end, and a row whose text or answer has no token scores 0. Equal pairs are computed once, and the vectors of
 * a batch of pairs are all that is in memory.
 * @throws InputError where the encoder fails
 */
export async function bertScores(
  answers: readonly string[],
  texts: readonly string[],
  encoder: TokenEncoder,
  options: BertScoreOptions = {},
): Promise<BertScore[]> {
  if (answers.length !== texts.length) {
    throw new Error(`bertScores: expected ${answers.length} texts, one an answer, got ${texts.length}`);
  }
  if (texts.length === 0) return [];
  const { idf = false, ...sizes } = options;
  const table = tokenTable(encoder, [...answers, ...texts]);
  const idsOf = (text: string): readonly number[] => table.get(text.trim())!;
  const frequency = idf ? inverseFrequency(answers.map(idsOf)) : () => 1;
  const weigh = (id: number): number => (encoder.special.has(id) ? 0 : frequency(id));

  const { pairs, pairOf } = distinctPairs(answers.map(idsOf), texts.map(idsOf));
  const scores: BertScore[] = [];
  const longest = pairs.map((pair) => largest(pair.map(({ length }) => length)));
  const progress = startProgress('BERTScore', pairs.length, 'texts');
  for (const batch of lengthBatches(longest, sizes)) {
    const sides = [...new Set(batch.flatMap((i) => pairs[i]!))];
    const vectors = await tokenVectors(encoder, sides, sizes);
    const tokens = new Map(sides.map((ids, i) => [ids, { vectors: vectors[i]!, weights: ids.map(weigh) }]));
    for (const i of batch) {
      const [answer, text] = pairs[i]!;
      scores[i] = matchTokens(tokens.get(answer)!, tokens.get(text)!);
    }
    progress.tick(batch.length);
  }
  progress.end();
  return pairOf.map((i) => scores[i]!);
}

/**
 * Equations 1 to 3 for one row.
 *
 * @example answer [1, 0] and [0, 1], text [1, 0] alone, all of weight 1: P = 1, R = (1 + 0) / 2, F = 2/3
 */
export function matchTokens(answer: WeightedTokens, text: WeightedTokens): BertScore {
  const counts = ({ weights }: WeightedTokens): boolean => weights.some((weight) => weight > 0);
  if (!counts(answer) || !counts(text)) return { precision: 0, recall: 0, f: 0 };
  const [x, y] = [unitRows(answer.vectors), unitRows(text.vectors)];
  const { width } = answer.vectors;
  const likest = [answer, text].map(({ vectors: { rows } }) => new Float64Array(rows).fill(-1));
  const [ofAnswer, ofText] = likest as [Float64Array, Float64Array];
  for (let i = 0; i < ofAnswer.length; i++) {
    for (let j = 0; j < ofText.length; j++) {
      let product = 0;
      for (let d = 0; d < width; d++) product += x[i * width + d]! * y[j * width + d]!;
      const cosine = Math.min(1, product); // of a vector with itself it may be rounded up
      ofAnswer[i] = Math.max(ofAnswer[i]!, cosine);
      ofText[j] = Math.max(ofText[j]!, cosine);
    }
  }
  const [precision, recall] = [weightedMean(ofText, text.weights), weightedMean(ofAnswer, answer.weights)];
  const sum = precision + recall;
  return { precision, recall, f: sum === 0 ? 0 : (2 * precision * recall) / sum };
}

/** Token ids of each different text, white space at its ends aside. */
function tokenTable(encoder: TokenEncoder, texts: readonly string[]): Map<string, readonly number[]> {
  const distinct = [...new Set(texts.map((text) => text.trim()))];
  const { ids } = encoder.tokenize(distinct);
  return new Map(distinct.map((text, i) => [text, ids[i]!]));
}

/** @returns log((N + 1) / (answers with the token + 1)) of a token id */
function inverseFrequency(answers: readonly (readonly number[])[]): (id: number) => number {
  const counts = new Map<number, number>();
  for (const ids of answers) for (const id of new Set(ids)) counts.set(id, (counts.get(id) ?? 0) + 1);
  return (id) => Math.log((answers.length + 1) / ((counts.get(id) ?? 0) + 1));
}

type Pair = readonly [answer: readonly number[], text: readonly number[]];

/** Lists of ids are told apart by identity: `tokenTable` has one for each text. */
function distinctPairs(answers: readonly (readonly number[])[], texts: readonly (readonly number[])[]) {
  const pairs: Pair[] = [];
  const seen = new Map<readonly number[], Map<readonly number[], number>>();
  const pairOf = answers.map((answer, row) => {
    const text = texts[row]!;
    const ofAnswer = seen.get(answer) ?? new Map<readonly number[], number>();
    seen.set(answer, ofAnswer);
    if (!ofAnswer.has(text)) ofAnswer.set(text, pairs.push([answer, text]) - 1);
    return ofAnswer.get(text)!;
  });
  return { pairs, pairOf };
}

/** Rows scaled to length 1; a row of zeros stays, and is like nothing. */
function unitRows({ rows, width, data }: Vectors): Float64Array {
  const units = new Float64Array(data.length);
  for (let from = 0; from < rows * width; from += width) {
    let squares = 0;
    for (let at = from; at < from + width; at++) squares += data[at]! ** 2;
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let at = from; at < from + width; at++) units[at] = data[at]! * scale;
  }
  return units;
}

function weightedMean(values: Float64Array, weights: readonly number[]): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return values.reduce((sum, value, i) => sum + value * weights[i]!, 0) / total;
}
