/** Chat templates as transformers renders them (`test/golden/text/make_chat.py`), from a model's folder, and broken ones. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { bpeTokenizer } from '../../lib/lm/tokenizer/bpe-tokenizer.js';
import { loadChatTemplate, parseChatTemplate } from '../../lib/lm/tokenizer/chat-template.js';
import { createRenderer } from '../../lib/tasks/prompts.js';
import { findTemplate } from '../../lib/tasks/templates.js';

interface Golden {
  cases: { template: string; messages: string[]; rendered: string[] }[];
}

const { cases } = JSON.parse(readFileSync('test/golden/text/chat.json', 'utf8')) as Golden;
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
  '%j is reported in a line',
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

test.each([
  ["{{ strftime_now('%d %b %Y') }}", '26 Jul 2024'],
  ["{% set d = strftime_now('%A, %-d %B %Y') %}{{ d }}", 'Friday, 26 July 2024'],
  ["{%- if strftime_now is defined %}{{ strftime_now('%Y-%m-%d %H:%M 100%%') }}{%- endif %}", '2024-07-26 12:00 100%'],
  ["{% for m in messages %}{{ {'a': [strftime_now('%j')]}['a'][0] }}{% endfor %}", '208'],
  ["{% macro now() %}{{ strftime_now('%y') }}{% endmacro %}{{ now() }}", '24'],
])("today's date is a fixed one: %s", (template, expected) => {
  vi.useFakeTimers({ now: new Date('2031-01-02T03:04:05Z') });
  expect(parseChatTemplate(template, 'here').wrap('m')).toBe(expected);
  vi.setSystemTime(new Date('2032-11-12T13:14:15Z'));
  expect(parseChatTemplate(template, 'here').wrap('m')).toBe(expected);
  vi.useRealTimers();
});

test('every format of the fixed date; another one is an error', () => {
  const formats = 'Y y m d e j B b A a H I M S p Z z F T %'.split(' ');
  const texts = '2024 24 07 26 26 208 July Jul Friday Fri 12 12 00 00 PM UTC +0000 2024-07-26 12:00:00 %'.split(' ');
  const render = (format: string): string => parseChatTemplate(`{{ strftime_now('${format}') }}`, 'here').wrap('m');
  expect(formats.map((format) => render(`%${format}`))).toEqual(texts);
  expect(render('%-m/%-d')).toBe('7/26');
  expect(() => render('%Q')).toThrow('the chat template does not work: strftime_now: %Q is not known');
});

test('tokens that a template names: as texts, as objects, or not at all', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidlab-chat-'));
  const rendered = (config: object): string => {
    writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(config));
    return loadChatTemplate(folder).wrap('m');
  };
  const chat_template = '[{{ bos_token }}|{{ eos_token }}]';
  expect(rendered({ chat_template, bos_token: '<s>', eos_token: { content: '</s>' } })).toBe('[<s>|</s>]');
  expect(rendered({ chat_template, bos_token: null })).toBe('[|]');
  const named = [{ name: 'tool', template: 'x' }, { name: 'default', template: chat_template }]; // prettier-ignore
  expect(rendered({ chat_template: named })).toBe('[|]');
  expect(() => rendered({ chat_template: [null, ...named.slice(0, 1)] })).toThrow(
    'has no chat template; leave the flag out',
  );
  expect(() => rendered({})).toThrow('has no chat template; leave the flag out');
});

test.each([
  ['break', '{% for x in [1, 2] %}a{% if x == 2 %}b{% break %}{% endif %}{% endfor %}'],
  ['break', '{%- for x in [1, 2] -%}a{%- if x == 2 -%}b{%- break -%}{%- endif -%}{%- endfor -%}'],
  ['continue', '{% for x in [1, 2] %}a{% if x == 2 %}b{% continue %}{% else %}c{% endif %}{% endfor %}'],
  ['break', '{% macro f() %}{% for x in [1] %}{% break %}{% endfor %}{% endmacro %}{{ messages[0].content }}'],
])('a loop that is left by %s is refused', (tag, template) => {
  const line = `model: the chat template does not work: {% ${tag} %} would lose text here`;
  expect(() => parseChatTemplate(template, 'model')).toThrow(line);
});

test('the words break and strftime_now in texts are texts', () => {
  const template = "{# {% break %} #}{{ '{% break %} strftime_now' }} {{ messages[0].content }}";
  expect(parseChatTemplate(template, 'here').wrap('{% break %}')).toBe('{% break %} strftime_now {% break %}');
});
