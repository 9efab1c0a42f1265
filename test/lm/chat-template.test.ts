/** Chat templates as transformers renders them (`test/golden/make_chat.py`), from a model's folder, and broken ones. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bpeTokenizer } from '../../lib/lm/tokenizer/bpe-tokenizer.js';
import { loadChatTemplate, parseChatTemplate } from '../../lib/lm/tokenizer/chat-template.js';
import { createRenderer } from '../../lib/tasks/prompts.js';
import { findTemplate } from '../../lib/tasks/templates.js';

interface Golden {
  cases: { template: string; messages: string[]; rendered: string[] }[];
}

const { cases } = JSON.parse(readFileSync('test/golden/chat.json', 'utf8')) as Golden;
const tokens = { bos_token: '<|begin_of_text|>', eos_token: '<|end_of_text|>' };

test.each(cases)("template %#: transformers' text", ({ template, messages, rendered }) => {
  const chat = parseChatTemplate(template, 'here', tokens);
  expect(messages.map((message) => chat.wrap(message))).toEqual(rendered);
});

test('from tokenizer_config.json, or a file of its own, which wins', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidlab-chat-'));
  const config = (value: object): void => writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(value));
  expect(() => loadChatTemplate(folder)).toThrow(`--chat-template: ${folder} has no chat template`);
  config({ chat_template: '{{ bos_token }}[{{ messages[0].content }}]', bos_token: { content: '<s>' } });
  expect(loadChatTemplate(folder).wrap('hello')).toBe('<s>[hello]');
  config({ chat_template: [{ name: 'default', template: '<{{ messages[0].content }}>' }] });
  expect(loadChatTemplate(folder).wrap('hello')).toBe('<hello>');
  writeFileSync(join(folder, 'chat_template.jinja'), '({{ messages[0].content }})');
  expect(loadChatTemplate(folder).wrap('hello')).toBe('(hello)');
});

test.each(['{% if %}', '{{ messages[0].content | no_such_filter }}', "{{ raise_exception('no users') }}"])(
  '%j is told in a line',
  (template) => {
    expect(() => parseChatTemplate(template, 'model')).toThrow(/^model: the chat template does not work: [^\n]+$/);
  },
);

test('a prompt in a chat: the message between its marks, the answer after them', () => {
  const index = [['<a_1>', '<b_2>'], ['<a_1>', '<b_3>']]; // prettier-ignore
  const tokenizer = bpeTokenizer(['Which item does the customer buy next?'], index, { vocabSize: 300 });
  const chat = parseChatTemplate(cases[0]!.template, 'here');
  const plain = createRenderer(findTemplate('seqrec'), index, tokenizer).prompt([0]);
  const render = createRenderer(findTemplate('seqrec'), index, tokenizer, { chat });
  const text = tokenizer.decode(render.prompt([0]));
  expect(text).toBe(chat.wrap(tokenizer.decode(plain)));
  expect(text.endsWith('<|im_end|>\n<|im_start|>assistant\n')).toBe(true);
  expect(tokenizer.decode(render.answer(1))).toBe('<a_1><b_3><|endoftext|>');
});
