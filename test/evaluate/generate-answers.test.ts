/** A model that has memorised its answers writes them, and their metrics say so. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { freeBeams } from '../../lib/decode/free-beams.js';
import { useEngine } from '../../lib/engine/engine.js';
import { answerTable } from '../../lib/evaluate/text/answer-table.js';
import { textCosines } from '../../lib/evaluate/text/cosine.js';
import { type AnswerRow, generateAnswers, type TextExample } from '../../lib/evaluate/text/generate-answers.js';
import { readGenerations, writeGenerations } from '../../lib/evaluate/text/generations-file.js';
import { sidAnswers } from '../../lib/evaluate/text/sid-answers.js';
import { textMetrics } from '../../lib/evaluate/text/text-metrics.js';
import { tableHtml } from '../../lib/figures/show-table.js';
import { parseShape } from '../../lib/lm/config.js';
import { forwardForest, outputLayer, prepareForest } from '../../lib/lm/decoder.js';
import { chain, packTrees } from '../../lib/lm/forest.js';
import type { LanguageModel } from '../../lib/lm/language-model.js';
import { type TextTokenizer, wordTokenizer } from '../../lib/lm/tokenizer/tokenizer.js';
import { randomWeights } from '../../lib/lm/weights.js';
import { targetLogProbs } from '../../lib/ops/target-log-probs.js';

const INDEX = [
  ['<a_1>', '<b_1>'],
  ['<a_1>', '<b_2>'],
  ['<a_2>', '<b_1>'],
];
const TITLES = ['steel kettle with lid', 'lamp', 'cordless drill and driver kit for wood'];
const END = '<|endoftext|>';

afterEach(() => void vi.restoreAllMocks());

let model: LanguageModel;
let tokenizer: TextTokenizer;
let examples: TextExample[];

beforeAll(async () => {
  await useEngine();
  tokenizer = wordTokenizer(TITLES.join(' title sid of ').split(' '), INDEX);
  const config = parseShape('qwen2:32x1', tokenizer.vocabSize, 0);
  model = { config, weights: randomWeights(config, 3) };
  examples = INDEX.flatMap((sid, item) => [
    { prompt: tokenizer.encode(`title of ${sid.join('')}`), answer: TITLES[item]!, item },
    { prompt: tokenizer.encode(`sid of ${TITLES[item]}`), answer: sid.join(''), item },
  ]);
  learn(examples.map(({ prompt, answer }) => [prompt, tokenizer.encode(answer + END)]));
});

/** Adam on the answers' tokens, by the forest's own forward pass. */
function learn(pairs: (readonly [prompt: readonly number[], answer: readonly number[]])[]): void {
  const { config, weights } = model;
  const forest = packTrees(pairs.map(([prompt, answer]) => chain([...prompt, ...answer])));
  const at = pairs.flatMap(([prompt, answer], t) => answer.map((_, i) => forest.starts[t]! + prompt.length - 1 + i));
  const targets = { row: Int32Array.from(at), token: Int32Array.from(pairs.flatMap(([, answer]) => answer)) };
  const prepared = prepareForest(config, forest);
  const adam = tf.train.adam(0.01);
  for (let step = 0; step < 60; step++) {
    adam.minimize(
      () => {
        const hidden = forwardForest(config, weights, prepared);
        return tf.neg(tf.mean(targetLogProbs(hidden, outputLayer(config, weights), targets))).asScalar();
      },
      false,
      [...weights.values()],
    );
  }
}

test('what was memorised is written, each text to its own end', async () => {
  const { rows, tokens, tokensPerSecond } = await generateAnswers(model, tokenizer, examples, { maxTokens: 12 });
  const bare = (text: string): string => text.replaceAll(' ', '');
  rows.forEach(({ text, ended }, i) => {
    expect(bare(text)).toBe(bare(examples[i]!.answer));
    expect(ended).toBe(true);
  });
  expect(tokens).toBe(examples.reduce((sum, { answer }) => sum + tokenizer.encode(answer).length + 1, 0));
  expect(tokensPerSecond).toBeGreaterThan(0);
  expect(await textMetrics(rows)).toMatchObject({ exact: 1, 'ROUGE-1': 1, 'ROUGE-L': 1 });
  const sids = rows.filter((_, i) => i % 2 === 1);
  const figures = sidAnswers(
    sids.map(({ text }) => [text]),
    sids.map(({ item }) => item!),
    INDEX,
  );
  expect(figures).toEqual({
    valid: 1,
    duplicates: 0,
    item: { 'HR@1': 1, 'NDCG@1': 1 },
    sid: { 'HR@1': 1, 'NDCG@1': 1 },
  });
});

test('beams: the best text is the trained one, the others come after it', async () => {
  const asked = examples.filter((_, i) => i % 2 === 1);
  const { rows, tokens } = await generateAnswers(model, tokenizer, asked, { numBeams: 3, maxTokens: 3 });
  rows.forEach(({ text, beams, ended }, i) => {
    expect(text.replaceAll(' ', '')).toBe(asked[i]!.answer);
    expect(ended).toBe(true);
    expect(beams).toHaveLength(3);
    expect(beams![0]).toBe(text);
  });
  const found = await freeBeams(
    model,
    asked.map(({ prompt }) => prompt),
    { numBeams: 3, maxTokens: 3, endTokens: [0] },
  );
  expect(rows.map(({ beams }) => beams)).toEqual(
    found.map((beams) => beams.map(({ tokens }) => tokenizer.decode(tokens).trim())),
  );
  expect(tokens).toBe(found.flat().reduce((sum, { tokens, ended }) => sum + tokens.length + (ended ? 1 : 0), 0));
  const figures = sidAnswers(
    rows.map(({ beams }) => beams!),
    rows.map(({ item }) => item!),
    INDEX,
  );
  expect(figures.item).toMatchObject({ 'HR@1': 1, 'HR@3': 1 });
});

test.each([{ temperature: 0.5 }, { topP: 0.5 }, { topK: 1 }])('beams and %j are refused', async (sampling) => {
  const both = generateAnswers(model, tokenizer, examples, { numBeams: 3, ...sampling });
  await expect(both).rejects.toThrow('expected beams or a temperature, got both');
});

test('a row holds what it has: the item if there is one, the beams if they were asked for', async () => {
  const [first] = examples;
  const without = [{ prompt: first!.prompt, answer: first!.answer }];
  const row = { prompt: tokenizer.decode(first!.prompt), answer: first!.answer, ended: true };
  const write = async (asked: readonly TextExample[], numBeams?: number): Promise<AnswerRow> => {
    const options = { maxTokens: 12, ...(numBeams !== undefined && { numBeams, temperature: 0, topP: 1, topK: 0 }) };
    const { rows } = await generateAnswers(model, tokenizer, asked, options);
    expect(rows).toHaveLength(1);
    return rows[0]!;
  };
  const { text } = await write([first!]);
  expect(await write([first!])).toEqual({ ...row, text, item: 0 });
  expect(await write(without)).toEqual({ ...row, text });
  expect(await write(without, 0)).toEqual({ ...row, text });
  expect(await write(without, 1)).toEqual({ ...row, text, beams: [text] });
});

test.each([0, 2])('tokens a second by a clock of our own, %i beams', async (numBeams) => {
  let now = 5000;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const stop = (): boolean => {
    now += 62.5; // at most ten steps, so that all is less than a second
    return false;
  };
  const { tokens, tokensPerSecond } = await generateAnswers(model, tokenizer, examples, {
    ...{ numBeams, maxTokens: 9, stop },
  });
  expect(now).toBeGreaterThan(5000);
  expect(now).toBeLessThan(6000);
  expect(tokensPerSecond).toBeCloseTo(tokens / ((now - 5000) / 1000), 9);
  expect((await generateAnswers(model, tokenizer, [], { numBeams })).tokensPerSecond).toBe(0);
});

test('texts cut by the limit say so, and stopped ones are left out', async () => {
  const { rows } = await generateAnswers(model, tokenizer, examples, { maxTokens: 2 });
  expect(rows.map(({ ended }) => ended)).toEqual([false, false, true, false, false, false]);
  let asked = 0;
  const stop = (): boolean => asked++ >= 2;
  const stopped = await generateAnswers(model, tokenizer, examples, { maxTokens: 12, batchRows: 6, stop });
  expect(stopped.rows.map(({ answer }) => answer)).toEqual(['lamp']); // the only answer of two tokens
});

describe('metrics by hand', () => {
  const row = (answer: string, text: string): AnswerRow => ({ prompt: '', answer, text, ended: true });

  test('of texts', async () => {
    const rows = [row('a steel kettle for tea', 'a steel kettle for two'), row('lamp', 'Lamp')];
    const figures = await textMetrics(rows);
    expect(figures).toEqual({
      exact: 0, // upper and lower case differ
      // the text of one word counts as one run of two, three and four words that does not match
      'BLEU-4': expect.closeTo(((5 / 6) * (3 / 5) * (2 / 4) * (1 / 3)) ** 0.25, 12),
      'BLEU-4 of rows': expect.closeTo((0.2 ** 0.25 + 0.1 ** 0.75) / 2, 12),
      'ROUGE-1': expect.closeTo(0.9, 12),
      'ROUGE-2': expect.closeTo(0.375, 12), // a text of one word has no pair
      'ROUGE-L': expect.closeTo(0.9, 12),
      'distinct-2': 1,
      'distinct-2 of answers': 1,
    });
    expect(await textMetrics([])).toMatchObject({ exact: 0, 'BLEU-4': 0, 'ROUGE-1': 0, 'distinct-2': 0 });
  });

  test('of vectors, whoever made them', async () => {
    const vectors: Record<string, [number, number]> = { kettle: [3, 4], pot: [4, 3], lamp: [0, 2], '': [0, 0] };
    const embed = (texts: readonly string[]) => ({
      rows: texts.length,
      width: 2,
      data: Float32Array.from(texts.flatMap((text) => vectors[text]!)),
    });
    const cosines = await textCosines(['kettle', 'kettle', 'lamp', 'lamp'], ['pot', 'kettle', 'lamp', ''], embed);
    expect(cosines).toEqual([expect.closeTo(0.96, 6), expect.closeTo(1, 6), expect.closeTo(1, 6), 0]);
    expect((await textMetrics([row('kettle', 'pot'), row('lamp', '')], embed)).cosine).toBeCloseTo(0.48, 6);
  });

  test('of SIDs: the invalid take up their rank, those that share a SID follow one another', () => {
    const shared = [...INDEX, INDEX[0]!];
    const texts = [
      ['nonsense', '<a_1> <b_1>'],
      ['<a_2><b_1>', '<a_2><b_1>'],
      ['<a_2><b_2>', ''],
    ];
    expect(sidAnswers(texts, [3, 2, 0], shared)).toEqual({
      valid: 3 / 6,
      duplicates: 1,
      item: { 'HR@1': 1 / 3, 'NDCG@1': 1 / 3 }, // item 3 is third: nonsense, item 0, item 3
      sid: { 'HR@1': 1 / 3, 'NDCG@1': 1 / 3 },
    });
    expect(sidAnswers(texts, [3, 2, 0], shared, [3])).toMatchObject({
      item: { 'HR@3': 2 / 3, 'NDCG@3': expect.closeTo((1 / 2 + 1) / 3, 12) },
      sid: { 'HR@3': 2 / 3, 'NDCG@3': expect.closeTo((1 / Math.log2(3) + 1) / 3, 12) },
    });
  });
});

describe('the file', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'sidlab-generations-')), 'generations.jsonl');
  const rows: AnswerRow[] = [
    { prompt: 'a "b"\n', answer: 'ключ\u2028', text: '', ended: false, item: 3, beams: ['', 'b'] },
    { prompt: '', answer: '', text: '<b>\x1b[31m</b>', ended: true },
  ];

  test('reads as it was written, one object a line', async () => {
    writeGenerations(file, rows);
    expect(await readGenerations(file)).toEqual(rows);
    expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(2);
  });

  test('one row alone', async () => {
    writeGenerations(file, rows.slice(1));
    expect(await readGenerations(file)).toEqual(rows.slice(1));
  });

  test.each<[string, object | string]>([
    ['not valid JSON', '{"prompt":'],
    ['prompt is missing', { ...rows[0], prompt: undefined }],
    ['answer is missing', { ...rows[0], answer: 3 }],
    ['text is missing', { ...rows[0], text: 7 }],
    ['ended is missing', { ...rows[0], ended: 'true' }],
    ['item is missing', { ...rows[0], item: '3' }],
    ['item is missing', { ...rows[0], item: null }],
    ['beams is missing', { ...rows[0], beams: 'b' }],
    ['beams is missing', { ...rows[0], beams: ['', 3] }],
  ])('%s or of another kind: %j', async (message, line) => {
    writeFileSync(file, JSON.stringify(rows[0]) + '\n' + (typeof line === 'string' ? line : JSON.stringify(line)));
    await expect(readGenerations(file)).rejects.toThrow(`${file}:2: ${message}`);
  });

  test('an empty file is an error', async () => {
    writeFileSync(file, '');
    await expect(readGenerations(file)).rejects.toThrow('got an empty file');
  });

  test('in a table nothing that a model wrote steers the terminal or the page', () => {
    const [first, second] = answerTable(rows);
    expect(first).toEqual({ prompt: 'a "b"', answer: 'ключ', text: '' });
    expect(second!.text).toBe('<b> [31m</b>');
    expect(tableHtml([second!])).toContain('&lt;b&gt; [31m&lt;/b&gt;');
  });

  test('the first ten rows, or so many as are asked for', () => {
    const many = Array.from({ length: 12 }, (_, i) => ({ ...rows[1]!, answer: String(i) }));
    const shown = (most?: number): string[] => answerTable(many, most).map(({ answer }) => answer);
    expect(shown()).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    expect(shown(2)).toEqual(['0', '1']);
    expect(shown(20)).toHaveLength(12);
  });
});
