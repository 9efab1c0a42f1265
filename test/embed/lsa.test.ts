import { existsSync, readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { lsa } from '../../lib/embed/lsa/lsa.js';
import { type TfidfOptions } from '../../lib/embed/embed-options.js';
import { tfidf } from '../../lib/embed/lsa/tfidf.js';
import { truncatedSvd } from '../../lib/embed/lsa/truncated-svd.js';
import { useEngine } from '../../lib/engine/engine.js';
import type { Vectors } from '../../lib/files/npy-bytes.js';
import { readNpy, rowOf } from '../../lib/files/npy.js';

interface Golden {
  texts: string[];
  cases: {
    options: { sublinear_tf?: boolean; min_df?: number; max_df?: number; ngram_range?: number[] };
    terms: string[];
    row0: Record<string, number>;
    singular: number[];
    cosines0: number[];
    projected0: number[];
  }[];
}

const golden = JSON.parse(readFileSync(new URL('../golden/lsa.json', import.meta.url), 'utf8')) as Golden;
const REAL = '../shared/data/industrial/Industrial_and_Scientific';

await useEngine();

function dot(vectors: Vectors, i: number, j: number): number {
  return rowOf(vectors, i).reduce((sum, x, k) => sum + x * rowOf(vectors, j)[k]!, 0);
}

golden.cases.forEach((expected, c) => {
  const { sublinear_tf: sublinearTf = false, min_df: minDf, max_df: maxDf, ngram_range } = expected.options;
  const options: TfidfOptions = { stopWords: false, sublinearTf, minDf, maxDf, ngrams: ngram_range?.[1] };

  test(`scikit-learn's TF-IDF, case ${c}`, () => {
    const { matrix, terms } = tfidf(golden.texts, options);
    expect(terms).toEqual(expected.terms);
    const row: Record<string, number> = {};
    for (let e = 0; e < matrix.start[1]!; e++) row[matrix.column[e]!] = matrix.value[e]!;
    expect(Object.keys(row)).toEqual(Object.keys(expected.row0));
    for (const [j, value] of Object.entries(expected.row0)) expect(row[j]).toBeCloseTo(value, 6);
  });

  test(`scikit-learn's truncated SVD, case ${c}`, () => {
    const { vectors, singular } = lsa(golden.texts, { ...options, width: 8 });
    expected.singular.forEach((value, i) => expect(singular[i]).toBeCloseTo(value, 4));
    expected.cosines0.forEach((value, i) => expect(dot(vectors, 0, i)).toBeCloseTo(value, 3));
  });

  // A sign is that of a direction's largest number: where two are as large, rounding decides, and engines differ.
  test.runIf(tf.getBackend() === 'tensorflow')(`scikit-learn's directions with their signs, case ${c}`, () => {
    const { projected } = truncatedSvd(tfidf(golden.texts, options).matrix, { width: 8 });
    expected.projected0.forEach((value, i) => expect(projected[i]).toBeCloseTo(value, 3));
  });
});

test('rows have length 1, a text without a word has a row of zeros', () => {
  const { vectors, empty } = lsa(['steel hex bolt', 'steel hex nut', '', '! ?', 'brass nut'], { width: 3 });
  expect(empty).toBe(2);
  expect([0, 1, 2, 3, 4].map((i) => Math.round(dot(vectors, i, i) * 1e5) / 1e5)).toEqual([1, 1, 0, 0, 1]);
});

test('the same seed gives the same bits, equal texts equal rows', () => {
  const texts = [...golden.texts, golden.texts[3]!];
  const a = lsa(texts, { seed: 7 }).vectors;
  expect(lsa(texts, { seed: 7 }).vectors).toEqual(a);
  expect(dot(a, 3, texts.length - 1)).toBeCloseTo(1, 5);
});

test('texts of one word, all alike: one direction, the others zero', () => {
  const { vectors, singular } = lsa(['bolt', 'bolt', 'bolt'], { width: 1 });
  expect([...vectors.data].map((x) => Math.abs(x))).toEqual([1, 1, 1]);
  expect(singular[0]).toBeCloseTo(Math.sqrt(3), 5);
  const pairs = Array.from({ length: 20 }, (_, i) => (i % 2 ? 'hex bolt brass' : 'steel nut wing'));
  const { vectors: two, singular: values } = lsa(pairs, { width: 5 });
  expect([...values].map((x) => Math.round(x * 100) / 100)).toEqual([3.16, 3.16, 0, 0, 0]);
  expect([...two.data].every(Number.isFinite)).toBe(true);
  expect(dot(two, 0, 1)).toBeCloseTo(0, 4);
});

test('what cannot be encoded says so', () => {
  expect(() => lsa(['a'])).toThrow('at least 2 texts, got 1');
  expect(() => lsa(['red lamp', 'red chair'], { minDf: 3 })).toThrow('lower --min-df or raise --max-df');
  expect(() => lsa(['', ' '])).toThrow('expected texts with words');
  expect(() => lsa(golden.texts, { width: 40 })).toThrow('expected a width from 1 to 39');
  expect(() => tfidf([], { maxDf: 0 })).toThrow('expected maxDf to be a number above 0, at most 1, got 0');
});

test.skipIf(!existsSync(`${REAL}.emb-lsa.npy`))(
  'near the published neighbours (skipped without ../shared/data)',
  ({ skip }) => {
    skip(tf.getBackend() !== 'tensorflow', 'a minute on an engine that is not native');
    const items = Object.values(JSON.parse(readFileSync(`${REAL}.item.json`, 'utf8')) as object) as Record<
      string,
      string
    >[];
    const start = performance.now();
    const ours = lsa(items.map(({ title, description }) => `${title} ${description}`)).vectors;
    const seconds = (performance.now() - start) / 1000;
    const [a, b] = [neighbours(ours), neighbours(readNpy(`${REAL}.emb-lsa.npy`))];
    const overlap = a.reduce((sum, row, i) => sum + row.filter((j) => b[i]!.includes(j)).length / 10, 0) / a.length;
    const note = `${ours.rows} x ${ours.width} in ${seconds.toFixed(1)} s, overlap of the 10 nearest ${overlap.toFixed(3)}`;
    process.stderr.write(note + '\n');
    expect(overlap).toBeGreaterThan(0.9);
  },
);

/** The 10 nearest other rows of each row. */
function neighbours({ rows, width, data }: Vectors): number[][] {
  const top = tf.tidy(() => {
    const x = tf.tensor2d(data, [rows, width]);
    return tf.topk(x.matMul(x, false, true).sub(tf.eye(rows).mul(2)), 10).indices;
  });
  const lists = top.arraySync() as number[][];
  top.dispose();
  return lists;
}
