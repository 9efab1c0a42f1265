/** What fits together: model, tokenizer, template and index; and the examples that are made of them. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Item, Row } from '../../lib/data/dataset.js';
import { createRecommender, modelRenderer, type RecommenderOptions } from '../../lib/evaluate/recommender.js';
import { answerExamples, longestSid } from '../../lib/evaluate/text/answer-examples.js';
import { GENERATE_OPTIONS } from '../../lib/evaluate/text/generate-stage-options.js';
import { parseConfig } from '../../lib/lm/config.js';
import type { LanguageModel } from '../../lib/lm/language-model.js';
import type { Template } from '../../lib/tasks/templates.js';
import { type TextTokenizer, wordTokenizer } from '../../lib/lm/tokenizer/tokenizer.js';
import { InputError } from '../../lib/support/errors.js';
import { TEMPLATES, SID_PLACEHOLDERS } from '../../lib/tasks/templates.js';

const INDEX = [
  ['<a_0>', '<b_0>'],
  ['<a_0>', '<b_1>'],
  ['<a_1>', '<b_0>'],
];
const words = wordTokenizer(['lamp', 'kettle', 'ask', 'now'], INDEX);
const folder = 'test/golden/qwen3';
const base = parseConfig(JSON.parse(readFileSync(`${folder}/config.json`, 'utf8')), folder);

function modelOf(vocabSize: number, eosTokenId = 0): LanguageModel {
  return { config: { ...base, vocabSize, eosTokenId }, weights: new Map() };
}

/** Every character is a token, its code the id; none is a SID's. */
const characters: TextTokenizer = {
  ...words,
  encode: (text) => [...text].map((character) => character.codePointAt(0)!),
  decode: (ids) => ids.map((id) => String.fromCodePoint(id)).join(''),
  has: (token) => token.length === 1,
  tokenId: (token) => token.codePointAt(0)!,
  vocabSize: 128,
};

describe('a recommender', () => {
  const create = (tokenizer: TextTokenizer, template: string, options?: RecommenderOptions) =>
    createRecommender(modelOf(tokenizer.vocabSize), tokenizer, INDEX, template, options);

  test('answers and trie are of the index', () => {
    const { render, trie, index } = create(words, 'sids');
    expect(index).toBe(INDEX);
    const answers = INDEX.map((sid) => sid.map((token) => words.tokenId(token)));
    expect(INDEX.map((_, item) => render.answer(item))).toEqual(answers);
    expect([...trie.alphabet]).toEqual([...new Set(answers.flat())].sort((a, b) => a - b));
    expect(render.prompt([0, 2])).toEqual([0, ...answers[0]!, ...answers[2]!]); // behind the end of text
  });

  test('a task that answers with another text ranks nothing; those that can are named', () => {
    for (const template of ['sids2description', 'index2item', 'preference']) {
      expect(() => create(words, template)).toThrow(InputError);
      expect(() => create(words, template)).toThrow(
        /^template: expected one that answers with a SID or a title \((?:\w+, )*sids, .*\), got \w+$/,
      );
      expect(() => create(words, template)).not.toThrow(new RegExp(`\\(.*${template}\\b.*\\)`));
    }
  });

  test('titles rank as SIDs do: a title is a path, and items of one title end together', () => {
    const titles = ['lamp', 'kettle lamp', 'lamp'];
    const items = titles.map((title) => ({ title, description: '', brand: '', categories: '' }));
    const plain = wordTokenizer(['lamp', 'kettle', 'ask', 'now'], []); // no SID in the vocabulary
    const template: Template = {
      of: 'rows',
      separator: ' ',
      answer: '{title}{end}',
      prompts: ['ask {history_titles} now'],
    };
    const { trie, render } = create(plain, 'mine', { templates: { mine: template }, items });
    expect(trie.leaves).toBe(2);
    expect(render.answer(0)).toEqual(render.answer(2));
    expect(render.answer(1)).toHaveLength(3);
  });

  test.each<[string, TextTokenizer, RecommenderOptions, string | RegExp]>([
    ['a code that is no token', wordTokenizer([], INDEX.slice(0, 2)), {}, 'the vocabulary lacks <a_1>'],
    [
      'codes that are tokens',
      words,
      { sidTokens: 'subwords' },
      '<a_0> is a token of the vocabulary; take --sid-tokens new',
    ],
    [
      'codes that it spells otherwise',
      { ...characters, decode: (ids) => characters.decode(ids).replace('_', '') },
      { sidTokens: 'subwords' },
      'the vocabulary spells <a_0> as <a0>; take --sid-tokens new',
    ],
    ['another word', words, { sidTokens: 'old' as 'new' }, '--sid-tokens: expected new or subwords, got old'],
  ])('%s', (_, tokenizer, options, message) => {
    expect(() => create(tokenizer, 'sids', options)).toThrow(InputError);
    expect(() => create(tokenizer, 'sids', options)).toThrow(message);
  });

  test.each(SID_PLACEHOLDERS)('titles from {%s}: the vocabulary must have the codes', (placeholder) => {
    const mine = { of: 'rows' as const, separator: ' ', answer: '{title}', prompts: [`ask {${placeholder}}`] };
    const items = INDEX.map(() => ({ title: 'lamp', description: '', brand: '', categories: '' }));
    const asked = () =>
      create(wordTokenizer(['ask', 'lamp'], INDEX.slice(0, 2)), 'mine', { templates: { mine }, items });
    if (placeholder === 'sid')
      expect(asked).toThrow(InputError); // a prompt that gives its answer away, too
    else expect(asked).toThrow('the vocabulary lacks <a_1>');
  });

  test('codes that it spells, with blanks around them or without', () => {
    for (const decode of [characters.decode, (ids: readonly number[]) => ` ${characters.decode(ids)}`]) {
      const bare = { of: 'rows' as const, separator: '', answer: '{sid}', prompts: ['{history}'] };
      const { render } = create({ ...characters, decode }, 'bare', { sidTokens: 'subwords', templates: { bare } });
      expect(render.answer(2)).toEqual(characters.encode('<a_1><b_0>'));
    }
  });

  test('as many rows as tokens are enough, one fewer is not', () => {
    const template = TEMPLATES.sids!;
    expect(() => modelRenderer(modelOf(words.vocabSize), words, INDEX, template)).not.toThrow();
    expect(() => modelRenderer(modelOf(words.vocabSize - 1), words, INDEX, template)).toThrow(
      `tokenizer: expected ids below ${words.vocabSize - 1}, the rows of the model's embedding table, got ${words.vocabSize - 1}`,
    );
  });

  test('a chat template wraps prompts, not answers', () => {
    const chat = { wrap: (text: string) => `ask ${text} now` };
    const plain = create(words, 'sids').render;
    const { render } = create(words, 'sids', { chat });
    expect(render.prompt([1])).toEqual([words.tokenId('ask'), ...plain.prompt([1]), words.tokenId('now')]);
    expect(render.answer(1)).toEqual(plain.answer(1));
  });
});

describe("the model's end of text, where an answer needs it", () => {
  const ending = { of: 'rows' as const, separator: '', answer: '{sid}{end}', prompts: ['{history}'] };
  const render = (tokenizer: TextTokenizer, end: number) => modelRenderer(modelOf(200, end), tokenizer, INDEX, ending);

  test('is the last token', () => {
    for (const end of [0, words.tokenId('lamp')]) expect(render(words, end).answer(0).at(-1)).toBe(end);
  });

  test('in the prompt too', () => {
    const asking = { ...ending, answer: '{sid}', prompts: ['{history}{end}'] };
    const lamp = words.tokenId('lamp');
    expect(modelRenderer(modelOf(200, lamp), words, INDEX, asking).prompt([0]).at(-1)).toBe(lamp);
  });

  const lacks = (id: number): string => `tokenizer: it lacks the end token ${id} of the model's config.json`;

  test.each<[string, TextTokenizer, number, string]>([
    ['no end', words, -1, 'its config.json names no end of text (eos_token_id)'],
    [
      'an id behind the last token',
      { ...words, decode: () => 'lamp', tokenId: () => words.vocabSize },
      words.vocabSize,
      lacks(words.vocabSize),
    ],
    ['a text of several tokens', { ...words, has: () => false, tokenId: () => 3 }, 3, lacks(3)],
    ['the text of another token', { ...words, tokenId: () => 4 }, 3, lacks(3)],
    ['a token without text', { ...words, decode: () => '' }, 3, lacks(3)],
  ])('%s is refused', (_, tokenizer, end, message) => {
    expect(() => render(tokenizer, end)).toThrow(InputError);
    expect(() => render(tokenizer, end)).toThrow(message);
  });
});

describe('held-out examples', () => {
  const rows = Array.from({ length: 4 }, (_, i): Row => ({ user: `u${i}`, history: [i % 3], target: (i + 1) % 3 }));
  const items = INDEX.map((_, i): Item => ({ title: `lamp ${i}`, description: '', brand: '', categories: '' }));
  const dataset = { name: 'x', dir: '.', items, train: [], valid: rows.slice(0, 1), test: rows };
  const examples = (limit: number, split: 'valid' | 'test' = 'test') =>
    answerExamples(modelOf(200), words, dataset, INDEX, TEMPLATES.sids!, { split, limit }).examples;

  test('prompt, answer and item of each row', () => {
    const id = (token: string): number => words.tokenId(token);
    expect(examples(2)).toEqual([
      { prompt: [0, id('<a_0>'), id('<b_0>')], answer: '<a_0><b_1>', item: 1 },
      { prompt: [0, id('<a_0>'), id('<b_1>')], answer: '<a_1><b_0>', item: 2 },
    ]);
  });

  test.each([
    [0, 4],
    [1, 1],
    [3, 3],
    [4, 4],
    [9, 4],
  ])('the first %i: %i', (limit, count) => {
    expect(examples(limit)).toEqual(examples(0).slice(0, count));
    expect(examples(limit)).toHaveLength(count);
  });

  test('of the other split', () => expect(examples(0, 'valid')).toEqual(examples(1)));

  test.each([-1, 1.5, NaN])('the first %d are refused', (limit) => {
    expect(() => examples(limit)).toThrow(`generate: expected limit to be a whole number (0: all), got ${limit}`);
  });

  test.each([
    ['{sid}', 5],
    ['{sid}{end}', 6],
  ])('the longest answer of %s: %i tokens', (answer, tokens) => {
    const answers = ['abc', 'abcde', 'ab'].map((text) => ({ prompt: [], answer: text }));
    expect(longestSid(characters, answers, { ...TEMPLATES.sids!, answer })).toBe(tokens);
  });
});

describe('options of generate', () => {
  const given = { data: 'd', model: 'm', task: 'sids' };

  test('defaults', () => {
    expect(GENERATE_OPTIONS.parse(given)).toMatchObject({
      ...{ ...given, split: 'test', limit: 0, numBeams: 0, temperature: 0, topP: 1, topK: 0, batchSize: 64 },
      ...{ tokenBudget: 16384, encoder: 'lsa' },
    });
  });

  test.each([
    ['limit', [0, 1], [-1, 0.5]],
    ['numBeams', [0, 1], [-1, 0.5]],
    ['temperature', [0, 0.5, 2], [-0.5]],
    ['topP', [0.001, 1], [0, 1.5]],
    ['topK', [0, 1], [-1, 0.5]],
    ['maxTokens', [1], [0, 0.5]],
    ['batchSize', [1], [0]],
    ['tokenBudget', [1], [0]],
  ])('%s may be %j, but none of %j', (name, taken, refused) => {
    for (const value of taken) expect(GENERATE_OPTIONS.parse({ ...given, [name]: value })).toHaveProperty(name, value);
    for (const value of refused) {
      expect(() => GENERATE_OPTIONS.parse({ ...given, [name]: value })).toThrow(`got ${value}`);
    }
  });
});
