/** BERTScore against the authors' package (golden file: test/golden/text/make_bert_score.py), a plain second way, and by hand. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from '../fast-check.js';
import { describe, expect, test } from 'vitest';
import { loadSentenceEncoder } from '../../lib/embed/sentence/sentence-encoder.js';
import type { TokenEncoder } from '../../lib/embed/sentence/token-vectors.js';
import { textEmbedder } from '../../lib/embed/text-embedder.js';
import { bertScores, matchTokens, type WeightedTokens } from '../../lib/evaluate/text/bert-score.js';
import { textMetrics } from '../../lib/evaluate/text/text-metrics.js';

interface Golden {
  checked: string;
  pairs: [answer: string, text: string][];
  plain: [precision: number, recall: number, f: number][];
  idf: [precision: number, recall: number, f: number][];
}

const golden = JSON.parse(readFileSync('test/golden/text/bert-score.json', 'utf8')) as Golden;
const MODEL = fileURLToPath(new URL('../golden/tiny-encoder', import.meta.url));
const installed = existsSync(fileURLToPath(new URL('../../node_modules/onnxruntime-node', import.meta.url)));
const answers = golden.pairs.map(([answer]) => answer);
const texts = golden.pairs.map(([, text]) => text);

function tokens(rows: number[][], weights: number[] = rows.map(() => 1)): WeightedTokens {
  const width = rows[0]?.length ?? 0;
  return { vectors: { rows: rows.length, width, data: Float32Array.from(rows.flat()) }, weights };
}

/** Ids of a text are its letters between 0 (start) and 1 (end); each has a vector of its own. */
function fake(asked: number[][][] = []): TokenEncoder {
  const vector = (id: number): number[] => [Math.cos(id), Math.sin(id)];
  return {
    ...{ name: 'fake', special: new Set([0, 1]) },
    tokenize: (texts) => ({
      ids: texts.map((text) => [0, ...[...text].map((letter) => letter.codePointAt(0)!), 1]),
      truncated: new Set(),
    }),
    encodeTokens: (batch) => {
      asked.push(batch.map((ids) => [...ids]));
      const longest = Math.max(...batch.map(({ length }) => length));
      const padded = batch.flatMap((ids) => [...ids, ...Array<number>(longest - ids.length).fill(NaN)]);
      return Promise.resolve({ data: Float32Array.from(padded.flatMap(vector)), width: 2 });
    },
  };
}

describe.skipIf(!installed)('with a real encoder (skipped where @huggingface/transformers is not installed)', () => {
  test.each([
    ['plain', false],
    ['idf', true],
  ] as const)("bert_score's numbers: %s", async (kind, idf) => {
    expect(golden.checked).toMatch(/^bert_score /);
    const encoder = await loadSentenceEncoder(MODEL);
    expect([...encoder.special]).toEqual([2, 3]);
    for (const tokenBudget of [1, 60, 4096]) {
      const ours = await bertScores(answers, texts, encoder, { idf, tokenBudget });
      ours.forEach(({ precision, recall, f }, row) => {
        [precision, recall, f].forEach((score, k) => {
          const message = `${['P', 'R', 'F'][k]} of ${JSON.stringify(golden.pairs[row])}`;
          expect(Math.abs(score - golden[kind][row]![k]!), message).toBeLessThan(1e-6);
        });
      });
    }
    await encoder.close();
  });

  test('means of the rows are metrics of a text task, where the encoder has tokens', async () => {
    const rows = golden.pairs.map(([answer, text]) => ({ prompt: '', answer, text, ended: true }));
    const { embed, tokens, close } = await textEmbedder(MODEL, []);
    const metrics = await textMetrics(rows, embed, tokens);
    await close();
    const mean = (k: number): number => golden.plain.reduce((sum, row) => sum + row[k]!, 0) / rows.length;
    ['precision', 'recall', 'F'].forEach((part, k) => {
      expect(metrics[`BERTScore ${part}` as 'BERTScore F']).toBeCloseTo(mean(k), 6);
    });
    expect(metrics).toHaveProperty('cosine');
    expect((await textEmbedder('lsa', [])).tokens).toBeUndefined();
    expect(Object.keys(await textMetrics(rows)).filter((name) => name.startsWith('BERT'))).toEqual([]);
  });
});

describe('greedy matching', () => {
  test('by hand', () => {
    const match = matchTokens(tokens([[1, 0], [0, 1]]), tokens([[5, 0]])); // prettier-ignore
    expect(match).toEqual({ precision: 1, recall: 0.5, f: expect.closeTo(2 / 3, 12) });
    const weighted = matchTokens(tokens([[1, 0], [0, 1]], [3, 1]), tokens([[1, 0], [0.6, 0.8]], [1, 3])); // prettier-ignore
    expect(weighted.recall).toBeCloseTo((3 * 1 + 1 * 0.8) / 4, 6);
    expect(weighted.precision).toBeCloseTo((1 * 1 + 3 * 0.8) / 4, 6);
  });

  test('a token of no weight is not counted, but may be the likest', () => {
    const match = matchTokens(tokens([[1, 0], [0, 1]], [1, 0]), tokens([[0, 1]])); // prettier-ignore
    expect(match).toEqual({ precision: 1, recall: 0, f: 0 });
  });

  test('nothing on one side is 0; a token of zeros is like nothing; opposites are -1', () => {
    const zero = { precision: 0, recall: 0, f: 0 };
    expect(matchTokens(tokens([]), tokens([[1, 0]]))).toEqual(zero);
    expect(matchTokens(tokens([[1, 0]]), tokens([]))).toEqual(zero);
    expect(matchTokens(tokens([[1, 0]], [0]), tokens([[1, 0]]))).toEqual(zero);
    expect(matchTokens(tokens([[1, 0]]), tokens([[0, 0]]))).toEqual(zero);
    expect(matchTokens(tokens([[1, 0]]), tokens([[-2, 0]]))).toEqual({ precision: -1, recall: -1, f: -1 });
  });

  test('the equations as they are written, and the same with sides changed', () => {
    const vector = fc.tuple(
      fc.integer({ min: -9, max: 9 }),
      fc.integer({ min: -9, max: 9 }),
      fc.integer({ min: 1, max: 9 }),
    );
    const side = fc.array(fc.tuple(vector, fc.integer({ min: 0, max: 3 })), { minLength: 1, maxLength: 6 });
    const cosine = (a: number[], b: number[]): number =>
      a.reduce((sum, x, d) => sum + x * b[d]!, 0) / Math.hypot(...a) / Math.hypot(...b);
    const share = (from: [number[], number][], to: [number[], number][]): number => {
      const total = from.reduce((sum, [, weight]) => sum + weight, 0);
      return from.reduce((sum, [x, weight]) => sum + weight * Math.max(...to.map(([y]) => cosine(x, y))), 0) / total;
    };
    fc.assert(
      fc.property(side, side, (answer, text) => {
        fc.pre([answer, text].every((of) => of.some(([, weight]) => weight > 0)));
        const [x, y] = [answer, text].map((of) => tokens(of.map(([v]) => v), of.map(([, weight]) => weight))); // prettier-ignore
        const { precision, recall, f } = matchTokens(x!, y!);
        expect(recall).toBeCloseTo(share(answer, text), 9);
        expect(precision).toBeCloseTo(share(text, answer), 9);
        if (Math.abs(precision + recall) > 1e-6)
          expect(f * (precision + recall)).toBeCloseTo(2 * precision * recall, 9);
        expect(matchTokens(y!, x!)).toMatchObject({ precision: recall, recall: precision });
        expect(matchTokens(x!, x!).f).toBeCloseTo(1, 12);
        expect(matchTokens(x!, x!).f).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('rows', () => {
  test('any split into batches gives the same, equal pairs are encoded once', async () => {
    const few = ['ab', 'abc', '', 'ab', 'x', ' ab '];
    const written = ['ab', 'cab', 'a', 'b', 'yz', 'b'];
    const whole = await bertScores(few, written, fake());
    expect(whole[0]!.f).toBeCloseTo(1, 12);
    expect(whole[2]).toEqual({ precision: 0, recall: 0, f: 0 });
    expect(whole[5]).toEqual(whole[3]);
    for (const batchSize of [1, 2, 3]) expect(await bertScores(few, written, fake(), { batchSize })).toEqual(whole);
    const asked: number[][][] = [];
    await bertScores(Array<string>(9).fill('ab'), Array<string>(9).fill('abc'), fake(asked), { batchSize: 1 });
    expect(asked.flat()).toHaveLength(2);
  });

  test('batches hold no more tokens than the budget', async () => {
    const asked: number[][][] = [];
    const many = Array.from({ length: 20 }, (_, i) => 'a'.repeat(1 + (i % 5)) + String(i));
    await bertScores(many, [...many].reverse(), fake(asked), { tokenBudget: 24 });
    for (const batch of asked) {
      expect(batch.length * Math.max(...batch.map(({ length }) => length))).toBeLessThanOrEqual(24);
    }
  });

  test('a long answer of a short text counts as long: its vectors are dropped before the next', async () => {
    const asked: number[][][] = [];
    const long = ['a', 'b', 'c'].map((letter) => letter.repeat(20));
    await bertScores(long, ['x', 'y', 'z'], fake(asked), { tokenBudget: 24 });
    expect(asked.map((batch) => batch.map(({ length }) => length))).toEqual([[22], [3], [22], [3], [22], [3]]);
  });

  test('idf is over the answers, each once a text', async () => {
    const few = ['aab', 'a', 'c'];
    const [first] = await bertScores(few, ['ac', 'a', 'c'], fake(), { idf: true });
    const idf = (count: number): number => Math.log(4 / (count + 1));
    const near = (letter: string, among: string[]): number => {
      const id = letter.charCodeAt(0);
      return Math.max(...[0, 1, ...among.map((other) => other.charCodeAt(0))].map((other) => Math.cos(id - other)));
    };
    const [a, b] = [idf(2), idf(1)];
    expect(first!.recall).toBeCloseTo((2 * a * 1 + b * near('b', ['a', 'c'])) / (2 * a + b), 5);
    expect(first!.precision).toBeCloseTo((a * 1 + idf(1) * near('c', ['a', 'b'])) / (a + idf(1)), 5);
    const everywhere = await bertScores(['a', 'a'], ['a', 'b'], fake(), { idf: true });
    expect(everywhere[0]).toEqual({ precision: 0, recall: 0, f: 0 });
  });

  test('no rows need no encoder; what fails is one line', async () => {
    const asked: number[][][] = [];
    expect(await bertScores([], [], fake(asked))).toEqual([]);
    expect(asked).toEqual([]);
    await expect(bertScores(['a'], [], fake())).rejects.toThrow('expected 1 texts, one an answer, got 0');
    const broken = { ...fake(), encodeTokens: () => Promise.reject(new Error('bad alloc\nat ...')) };
    await expect(bertScores(['a'], ['bb'], broken)).rejects.toThrow(
      'embed: fake failed on 2 texts of up to 4 tokens: bad alloc; a smaller tokenBudget takes less memory',
    );
    const nan = { ...fake(), encodeTokens: () => Promise.resolve({ data: new Float32Array(12).fill(NaN), width: 2 }) };
    await expect(bertScores(['a'], ['b'], nan)).rejects.toThrow('fake gives a token a number that is not finite');
  });
});
