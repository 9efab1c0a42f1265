import { expect, test } from 'vitest';
import { wordTokenizer } from '../../lib/lm/tokenizer/tokenizer.js';
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
