/** BLEU, ROUGE and stems against NLTK and rouge-score (golden file: test/golden/text/make_text_metrics.py). */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type BleuSmoothing, corpusBleu, sentenceBleu } from '../../lib/evaluate/text/bleu.js';
import { distinct, splitWords } from '../../lib/evaluate/text/ngrams.js';
import { porterStem } from '../../lib/evaluate/text/porter-stem.js';
import { rouge, type RougeScores } from '../../lib/evaluate/text/rouge.js';

interface Golden {
  pairs: [reference: string, text: string][];
  bleu: Record<BleuSmoothing, number[]>;
  bleu2: number[];
  corpus: Record<BleuSmoothing, number>;
  rouge: [precision: number, recall: number, f: number][][];
  rougePlain: [precision: number, recall: number, f: number][][];
  stems: Record<string, string>;
}

const golden = JSON.parse(readFileSync('test/golden/text/text-metrics.json', 'utf8')) as Golden;
const references = golden.pairs.map(([reference]) => splitWords(reference));
const texts = golden.pairs.map(([, text]) => splitWords(text));
const smoothings = Object.keys(golden.bleu) as BleuSmoothing[];

describe.each(smoothings)('BLEU, smoothing %s', (smoothing) => {
  test('of each text', () => {
    texts.forEach((text, i) => {
      const ours = sentenceBleu(references[i]!, text, { smoothing });
      expect(Math.abs(ours - golden.bleu[smoothing][i]!), JSON.stringify(golden.pairs[i])).toBeLessThan(1e-9);
    });
  });

  test('of all together', () => {
    expect(Math.abs(corpusBleu(references, texts, { smoothing }) - golden.corpus[smoothing])).toBeLessThan(1e-9);
  });
});

test('BLEU of pairs of words at most', () => {
  texts.forEach((text, i) => {
    expect(Math.abs(sentenceBleu(references[i]!, text, { order: 2 }) - golden.bleu2[i]!)).toBeLessThan(1e-9);
  });
});

test.each([
  ['stemmed', true, golden.rouge],
  ['plain', false, golden.rougePlain],
])('ROUGE, %s', (_, stem, expected) => {
  golden.pairs.forEach(([reference, text], i) => {
    const scores = rouge(reference, text, { stem });
    (['rouge1', 'rouge2', 'rougeL'] as (keyof RougeScores)[]).forEach((name, r) => {
      const { precision, recall, f } = scores[name];
      [precision, recall, f].forEach((figure, k) => {
        expect(Math.abs(figure - expected[i]![r]![k]!), `${name} of ${JSON.stringify([reference, text])}`).toBeLessThan(
          1e-9,
        );
      });
    });
  });
});

test('stems of some thousand words', () => {
  const words = Object.keys(golden.stems);
  expect(words.length).toBeGreaterThan(3000);
  expect(Object.fromEntries(words.map((word) => [word, porterStem(word)]))).toEqual(golden.stems);
});

test('no texts, and texts of another number than references', () => {
  expect(corpusBleu([], [])).toBe(0);
  expect(() => corpusBleu([['a']], [])).toThrow('expected 1 texts, one a reference, got 0');
});

test('the worked examples', () => {
  const [reference, text] = ['a steel kettle for tea', 'a steel kettle for two'].map(splitWords);
  expect(sentenceBleu(reference!, text!)).toBeCloseTo(0.2 ** 0.25, 12);
  const { rouge1, rouge2 } = rouge('a steel kettle for tea', 'steel kettles');
  expect(rouge1).toEqual({ precision: 1, recall: 0.4, f: expect.closeTo(4 / 7, 12) });
  expect(rouge2).toEqual({ precision: 1, recall: 0.25, f: 0.4 });
  const twice = [
    ['a', 'b'],
    ['a', 'c'],
  ];
  expect([distinct(twice, 1), distinct(twice, 2), distinct(twice, 3)]).toEqual([0.75, 1, 0]);
});
