/** The metrics of a text task: how like the texts are to the answers. */
import type { TokenEncoder } from '../../embed/sentence/token-vectors.js';
import { bertScores } from './bert-score.js';
import { corpusBleu, sentenceBleu } from './bleu.js';
import { type Embed, textCosines } from './cosine.js';
import type { AnswerRow } from './generate-answers.js';
import { distinct, splitWords } from './ngrams.js';
import { rouge } from './rouge.js';

/** All in [0, 1], `cosine` and BERTScore in [-1, 1]; means over rows but `BLEU-4` and `distinct-2`. No rows: all 0. */
export interface TextMetrics {
  /** Texts that are their answer, white space aside. */
  exact: number;
  /** Of all rows together, lower-cased, words parted at white space, not smoothed. */
  'BLEU-4': number;
  /** Mean of each row's own, smoothed by `method1`: short answers have few runs of four words. */
  'BLEU-4 of rows': number;
  /** F of words, of pairs of words, and of the longest common subsequence, stemmed. */
  'ROUGE-1': number;
  'ROUGE-2': number;
  'ROUGE-L': number;
  /** Of the vectors of text and answer; absent where there is no encoder. */
  cosine?: number;
  /** By greedy matching of token vectors, without idf; absent where no sentence encoder is given. */
  'BERTScore precision'?: number;
  'BERTScore recall'?: number;
  'BERTScore F'?: number;
  /** Distinct pairs of words as a share of all that were written; the answers' own is beside it. */
  'distinct-2': number;
  'distinct-2 of answers': number;
}

/**
 * Metrics of answers in text.
 * @param embed for the cosine; default none
 * @param tokens for BERTScore, such as `textEmbedder(...).tokens`; default none
 */
export async function textMetrics(
  rows: readonly AnswerRow[],
  embed?: Embed,
  tokens?: TokenEncoder,
): Promise<TextMetrics> {
  const [answers, texts] = [rows.map(({ answer }) => answer), rows.map(({ text }) => text)];
  const [expected, words] = [answers.map(splitWords), texts.map(splitWords)];
  const scores = rows.map(({ answer, text }) => rouge(answer, text));
  const bare = (text: string): string => text.replace(/\s+/g, '');
  return {
    exact: mean(rows.map(({ answer, text }) => Number(bare(answer) === bare(text)))),
    'BLEU-4': corpusBleu(expected, words),
    'BLEU-4 of rows': mean(words.map((text, i) => sentenceBleu(expected[i]!, text, { smoothing: 'method1' }))),
    'ROUGE-1': mean(scores.map(({ rouge1 }) => rouge1.f)),
    'ROUGE-2': mean(scores.map(({ rouge2 }) => rouge2.f)),
    'ROUGE-L': mean(scores.map(({ rougeL }) => rougeL.f)),
    ...(embed && { cosine: mean(await textCosines(answers, texts, embed)) }),
    ...(tokens && (await meanBertScore(answers, texts, tokens))),
    'distinct-2': distinct(words, 2),
    'distinct-2 of answers': distinct(expected, 2),
  };
}

async function meanBertScore(answers: readonly string[], texts: readonly string[], tokens: TokenEncoder) {
  const scores = await bertScores(answers, texts, tokens);
  return {
    'BERTScore precision': mean(scores.map(({ precision }) => precision)),
    'BERTScore recall': mean(scores.map(({ recall }) => recall)),
    'BERTScore F': mean(scores.map(({ f }) => f)),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
