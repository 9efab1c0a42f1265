/** BLEU, ROUGE and stems against NLTK and rouge-score (golden file: test/golden/text/make_text_metrics.py). */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type BleuSmoothing, corpusBleu, sentenceBleu } from '../../lib/evaluate/text/bleu.js';
import { type Embed, rowCosines, textCosines } from '../../lib/evaluate/text/cosine.js';
import type { AnswerRow } from '../../lib/evaluate/text/generate-answers.js';
import { distinct, splitWords } from '../../lib/evaluate/text/ngrams.js';
import { porterStem } from '../../lib/evaluate/text/porter-stem.js';
import { rouge, type RougeScores, rougeWords } from '../../lib/evaluate/text/rouge.js';
import { sidAnswers } from '../../lib/evaluate/text/sid-answers.js';
import { textMetrics } from '../../lib/evaluate/text/text-metrics.js';

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

test('words of more than three letters are stemmed', () => {
  expect(rougeWords('Was his bus gas cats lamps')).toEqual(['was', 'his', 'bus', 'gas', 'cat', 'lamp']);
  expect(rougeWords('cats', { stem: false })).toEqual(['cats']);
  expect(rougeWords(' -- ')).toEqual([]);
});

test('one n-gram is all there are; none is none', () => {
  expect([distinct([['a']], 1), distinct([['a', 'a']], 1), distinct([['a']], 2), distinct([], 1)]).toEqual([
    1, 0.5, 0, 0,
  ]);
});

describe('cosines', () => {
  const vectors = (rows: number[][]) => ({
    rows: rows.length,
    width: rows[0]?.length ?? 0,
    data: Float32Array.from(rows.flat()),
  });

  test('row by row, of any length', () => {
    const a = [[3, 4, 0], [1, 0, 0], [0, 2, 0], [-2, 0, 0], [0, 0, 0], [1, 1, 1]]; // prettier-ignore
    const b = [[4, 3, 0], [1, 0, 0], [0, 0, 5], [1, 0, 0], [1, 0, 0], [0, 0, 0]]; // prettier-ignore
    const cosines = rowCosines(vectors(a), vectors(b));
    [0.96, 1, 0, -1, 0, 0].forEach((expected, i) => expect(cosines[i]).toBeCloseTo(expected, 12));
    expect(cosines).toHaveLength(6);
  });

  test.each([
    [[[1, 2]], [[1, 2], [3, 4]], '[1, 2] twice, got [2, 2]'], // prettier-ignore
    [[[1, 2]], [[1]], '[1, 2] twice, got [1, 1]'],
  ])('%j and %j are no pairs', (a, b, message) => {
    expect(() => rowCosines(vectors(a), vectors(b))).toThrow(`rowCosines: expected ${message}`);
  });

  test('texts and answers go through the encoder in one call; no texts need none', async () => {
    const asked: (readonly string[])[] = [];
    const embed: Embed = (texts) => {
      asked.push(texts);
      return vectors(texts.map((text) => [text.length, 1]));
    };
    expect(await textCosines([], [], embed)).toEqual([]);
    expect(asked).toEqual([]);
    expect(await textCosines(['ab'], ['cd'], embed)).toEqual([expect.closeTo(1, 12)]);
    expect(await textCosines(['a', 'abc'], ['abc', ''], embed)).toEqual([
      expect.closeTo(4 / Math.sqrt(2 * 10), 6),
      expect.closeTo(1 / Math.sqrt(10), 6),
    ]);
    expect(asked).toEqual([
      ['ab', 'cd'],
      ['a', 'abc', 'abc', ''],
    ]);
    const short = textCosines(['a', 'b'], ['c', 'd'], () => vectors([[1], [1], [1]]));
    await expect(short).rejects.toThrow('textCosines: expected 4 vectors, one a text, got 3');
  });
});

describe('means over rows', () => {
  const row = (answer: string, text: string): AnswerRow => ({ prompt: '', answer, text, ended: true });

  test('one row: its own metrics', async () => {
    expect(await textMetrics([row('a b a b', ' a b  a b')])).toEqual({
      ...{ exact: 1, 'BLEU-4': 1, 'BLEU-4 of rows': 1, 'ROUGE-1': 1, 'ROUGE-2': 1, 'ROUGE-L': 1 },
      ...{ 'distinct-2': 2 / 3, 'distinct-2 of answers': 2 / 3 },
    });
    expect(await textMetrics([row('a b c d', 'a a a a')])).toMatchObject({
      ...{ exact: 0, 'distinct-2': 1 / 3, 'distinct-2 of answers': 1 },
    });
  });

  test('no row: all 0, and no cosine but of an encoder', async () => {
    expect(Object.values(await textMetrics([])).every((metric) => metric === 0)).toBe(true);
    expect(await textMetrics([])).not.toHaveProperty('cosine');
  });
});

describe('texts as SIDs', () => {
  const index = [['<a_1>'], ['<a_2>'], ['<a_2>'], ['<a_3>']];

  test('metrics go as far as the longest list, and to 1 at least', () => {
    const names = (texts: string[][]): string[] => Object.keys(sidAnswers(texts, texts.map(() => 0), index).sid); // prettier-ignore
    const upTo = (ks: number[]): string[] => ks.flatMap((k) => [`HR@${k}`, `NDCG@${k}`]);
    expect(names([])).toEqual(upTo([1]));
    expect(names([['<a_1>']])).toEqual(upTo([1]));
    expect(names([['<a_1>'], ['', '', '<a_1>']])).toEqual(upTo([1, 3]));
    expect(names([new Array<string>(11).fill('')])).toEqual(upTo([1, 3, 5, 10]));
  });

  test.each([0, 1, 2, 3])('what is no SID is no item: target %i', (target) => {
    expect(sidAnswers([['nonsense']], [target], index)).toEqual({
      valid: 0,
      duplicates: 0,
      item: { 'HR@1': 0, 'NDCG@1': 0 },
      sid: { 'HR@1': 0, 'NDCG@1': 0 },
    });
  });

  test('duplicates are valid texts that came before', () => {
    const texts = [['<a_1>', 'x', 'x', '<a_1>', '< a_1 >'], ['<a_1>']];
    expect(sidAnswers(texts, [0, 0], index)).toMatchObject({ valid: 4 / 6, duplicates: 2, sid: { 'HR@1': 1 } });
  });
});
