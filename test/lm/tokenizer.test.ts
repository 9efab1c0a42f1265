import { describe, expect, test } from 'vitest';
import type { Item } from '../../lib/data/dataset.js';
import { titleWeights } from '../../lib/lm/tokenizer/title-weights.js';
import {
  addedTokens,
  byLevelAndCode,
  parseTokenizer,
  sidVocabulary,
  wordTokenizer,
} from '../../lib/lm/tokenizer/tokenizer.js';
import { InputError } from '../../lib/support/errors.js';
import { createRenderer } from '../../lib/tasks/prompts.js';
import { findTemplate, templateWords } from '../../lib/tasks/templates.js';

const index = [
  ['<a_1>', '<b_10>', '<c_0>'],
  ['<a_1>', '<b_2>', '<c_3>'],
];
const tokenizer = wordTokenizer(templateWords(), index);

test('SIDs are one token a code, with and without words around them', () => {
  const ids = tokenizer.encode('The next purchase: <a_1><b_2><c_3>');
  expect(ids).toHaveLength(4 + 3);
  expect(ids).not.toContain(tokenizer.tokenId('<unk>'));
  expect(ids.slice(4)).toEqual(index[1]!.map((token) => tokenizer.tokenId(token)));
  expect(tokenizer.tokenId('<b_2>')).toBeLessThan(tokenizer.tokenId('<b_10>'));
});

test('unknown words are the unknown token, and an unknown SID is said', () => {
  expect(tokenizer.encode('zebra')).toEqual([tokenizer.tokenId('<unk>')]);
  expect(() => tokenizer.tokenId('<a_99>')).toThrow('the vocabulary lacks <a_99>');
});

test.each(['sids', 'words'])('template %s: no unknown token, and the prompt does not contain the answer', (name) => {
  const render = createRenderer(findTemplate(name), index, tokenizer);
  const prompt = render.prompt([0, 0]);
  expect(prompt).not.toContain(tokenizer.tokenId('<unk>'));
  expect(prompt).not.toContain(tokenizer.tokenId('<c_3>'));
  expect(render.answer(1).slice(0, 3)).toEqual(index[1]!.map((token) => tokenizer.tokenId(token)));
});

test('ids: end of text, unknown, words as they come, then SIDs by level and code', () => {
  const tokenizer = wordTokenizer(['b', 'a', 'b'], [['<b_2>', '<a_10>'], ['<a_9>']]);
  const tokens = ['<|endoftext|>', '<unk>', 'b', 'a', '<a_9>', '<a_10>', '<b_2>'];
  expect(tokens.map((token) => tokenizer.tokenId(token))).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(tokenizer).toMatchObject({ vocabSize: 7, begin: [], special: ['<|endoftext|>'] });
  expect([tokenizer.has('a'), tokenizer.has('c')]).toEqual([true, false]);
  expect(tokenizer.decode([])).toBe('');
  expect(tokenizer.decode([3])).toBe('a');
  expect(tokenizer.decode([0, 4])).toContain('<|endoftext|>');
});

test('codes of every level up to the largest of any', () => {
  const index = [['<a_2>', '<b_0>'], ['<a_0>', '<b_1>']]; // prettier-ignore
  expect(sidVocabulary(index, 'used')).toEqual(['<a_0>', '<a_2>', '<b_0>', '<b_1>']);
  expect(sidVocabulary(index, 'all')).toEqual(['<a_0>', '<a_1>', '<a_2>', '<b_0>', '<b_1>', '<b_2>']);
  expect(() => sidVocabulary(index, 'some' as 'all')).toThrow('--sid-vocabulary: expected used or all, got some');
  const sorted = ['<a_2>', '<a_10>', '<b_1>', '<b_1>', '<b_20>'];
  expect([...sorted].reverse().sort(byLevelAndCode)).toEqual(sorted);
  expect(byLevelAndCode('<a_1>', '<a_1>')).toBe(0);
  expect(byLevelAndCode('<a_9>', '<b_0>')).toBeLessThan(0);
  expect(byLevelAndCode('<b_0>', '<a_9>')).toBeGreaterThan(0);
  expect(addedTokens(['x', 'y'], 5).map(({ id }) => id)).toEqual([5, 6]);
});

describe('a tokenizer.json', () => {
  const raw = JSON.parse(wordTokenizer(['a', 'b'], []).json) as { model: { vocab: Record<string, number>; unk_token?: string }; added_tokens?: object[]; post_processor: object | null }; // prettier-ignore

  test('whose vocabulary lacks a word and an unknown token', () => {
    const { unk_token: _, ...model } = raw.model;
    const tokenizer = parseTokenizer(JSON.stringify({ ...raw, model }), 'here');
    expect(tokenizer.encode('a b')).toEqual([2, 3]);
    expect(() => tokenizer.encode('a c')).toThrow('here: cannot encode "a c"');
  });

  test('without added tokens, and with a gap among the ids', () => {
    const { added_tokens: _, ...others } = raw;
    const bare = parseTokenizer(JSON.stringify(others), 'here');
    expect(bare).toMatchObject({ vocabSize: 4, special: [] });
    const gap = { ...raw, model: { ...raw.model, vocab: { ...raw.model.vocab, z: 9 } } };
    expect(parseTokenizer(JSON.stringify(gap), 'here').vocabSize).toBe(10);
    const added = { ...raw, added_tokens: [...raw.added_tokens!, ...addedTokens(['<x>'], 20)] };
    expect(parseTokenizer(JSON.stringify(added), 'here')).toMatchObject({ vocabSize: 21, special: ['<|endoftext|>'] });
  });

  test.each([
    [{}, 0],
    [{ x: 0 }, 1],
    [{ x: 1 }, 2],
  ])('of the vocabulary %j: %i ids', (vocab, size) => {
    const model = { type: 'WordLevel', vocab };
    expect(
      parseTokenizer(
        JSON.stringify({ model, pre_tokenizer: null, normalizer: null, post_processor: null, decoder: null }),
        'here',
      ).vocabSize,
    ).toBe(size);
  });

  test('that puts tokens before a text', () => {
    const post_processor = {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: 'b', type_id: 0 } }, { SpecialToken: { id: 'a', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [],
      special_tokens: { a: { id: 'a', ids: [2], tokens: ['a'] }, b: { id: 'b', ids: [3], tokens: ['b'] } },
    }; // prettier-ignore
    const tokenizer = parseTokenizer(JSON.stringify({ ...raw, post_processor }), 'here');
    expect(tokenizer.begin).toEqual([3, 2]);
    expect(tokenizer.encode('a')).toEqual([2]);
  });

  const none = 'no model.vocab; is it a tokenizer.json?';
  const model = { type: 'BPE', vocab: { a: 0 }, merges: [] };
  const tokens = 'expected added_tokens to be a list of {id, content}';
  const unread = 'the tokenizer is damaged or not read here (';
  test.each<[unknown, string]>([
    [{}, none],
    [null, none],
    [[], none],
    ['x', none],
    [{ model: { vocab: 3 } }, none],
    [
      { model: { ...model, type: 'Unigram', vocab: [['a', -1.5]] } },
      'expected a vocabulary of ids, got a list (Unigram)',
    ],
    [{ model: { ...model, vocab: { a: 'b' } } }, 'the id of "a" cannot be "b"'],
    [{ model: { ...model, vocab: { a: 0, b: -1 } } }, 'the id of "b" cannot be -1'],
    [{ model: { ...model, merges: 5 } }, unread],
    [{ model, added_tokens: {} }, tokens],
    [{ model, added_tokens: [{ id: 1 }] }, tokens],
    [{ model, added_tokens: [{ id: 'x', content: 'a' }] }, tokens],
    [{ model, added_tokens: [null] }, tokens],
    ...['normalizer', 'pre_tokenizer', 'post_processor', 'decoder'].map((part): [unknown, string] => [
      { model, [part]: { type: 'Nope' } },
      `${unread}Unknown `,
    ]),
    [{ model, pre_tokenizer: { type: 'Split', pattern: { Regex: '(' }, behavior: 'Isolated' } }, `${unread}Invalid`],
  ])('that is none, or damaged: %j', (raw, message) => {
    const parts = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
    const whole = typeof raw === 'object' && raw !== null && !Array.isArray(raw) ? { ...parts, ...raw } : raw;
    const parse = () => parseTokenizer(JSON.stringify(whole), 'here');
    expect(parse).toThrow(InputError);
    expect(parse).toThrow(`here: ${message}`);
  });
});

describe("what a code's titles hold", () => {
  const item = (title: string): Item => ({ title, description: '', brand: '', categories: '' });
  const words = wordTokenizer(['red', 'lamp', 'old', 'tea'], []);
  const index = [['<a_0>', '<b_0>'], ['<a_0>', '<b_1>'], ['<a_1>', '<b_1>'], ['<a_0>', '<b_2>']]; // prettier-ignore
  const items = [item('tea red'), item('red'), item('lamp lamp red old'), item('')];
  const sids = ['<b_1>', '<a_0>', '<c_9>', '<b_2>'];

  test('shares of words: of each title, then the mean over the items that have one', () => {
    const { tokens, weights } = titleWeights(sids, index, items, words);
    expect([...tokens]).toEqual(['red', 'lamp', 'old', 'tea'].map((word) => words.tokenId(word)));
    expect([...weights]).toEqual([
      ...[5 / 8, 1 / 4, 1 / 8, 0], // of items 1 and 2
      ...[3 / 4, 0, 0, 1 / 4], // of items 0 and 1; item 3 has no title
      ...[0, 0, 0, 0],
      ...[0, 0, 0, 0],
    ]);
  });

  test('a code that an item carries twice counts once', () => {
    const { weights } = titleWeights(['<a_0>'], [['<a_0>', '<a_0>'], ['<a_0>']], items, words); // prettier-ignore
    expect([...weights]).toEqual([3 / 4, 1 / 4]);
  });

  test('one title of one word is enough; none is not, nor fewer items than SIDs', () => {
    expect([...titleWeights(['<a_0>'], [['<a_0>']], [item('red')], words).weights]).toEqual([1]);
    expect(() => titleWeights(sids, index, items.map(() => item('')), words)).toThrow('--init title: no item has a title'); // prettier-ignore
    expect(() => titleWeights(sids, index, items.slice(1), words)).toThrow('expected 4 items with titles, got 3');
    expect(() => titleWeights(sids, index, [...items, item('more')], words)).not.toThrow();
  });
});
