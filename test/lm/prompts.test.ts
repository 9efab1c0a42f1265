/** Prompts that are too long: what goes first, what never goes, and that it is counted. */
import fc from '../fast-check.js';
import { describe, expect, test } from 'vitest';
import type { Item } from '../../lib/data/dataset.js';
import { itemText } from '../../lib/data/item-text.js';
import { bpeTokenizer } from '../../lib/lm/tokenizer/bpe-tokenizer.js';
import { type TextTokenizer } from '../../lib/lm/tokenizer/tokenizer.js';
import { createRenderer, promptContext, renderPrompt } from '../../lib/tasks/prompts.js';
import { findTemplate, parseTemplates, type Template } from '../../lib/tasks/templates.js';

const words = 'steel wood felt glue nail lamp cord pipe'.split(' ');
const items: Item[] = Array.from({ length: 12 }, (_, i) => ({
  title: `${words[i % 8]} ${words[(i * 3 + 1) % 8]} number ${i}`,
  description: words.slice(0, (i % 8) + 1).join(' ') + ' and more of it. '.repeat(i),
  brand: 'Brand',
  categories: '',
}));
const index = items.map((_, item) => [`<a_${item % 3}>`, `<b_${item}>`]);
const texts = items.flatMap(({ title, description }) => [title, description]);
const tokenizer = bpeTokenizer(texts, index, { vocabSize: 400 });
const history = items.map((_, item) => item);

function render(name: string, cutoffLen: number): ReturnType<typeof createRenderer> {
  return createRenderer(findTemplate(name), index, tokenizer, { items, cutoffLen });
}

describe('a history loses its oldest items, whole ones, and no more than it must', () => {
  test.each(['seqrec', 'titles2sid', 'fusionseqrec'])('%s', (name) => {
    const whole = render(name, 10_000);
    const kept = history.map((_, from) => whole.prompt(history.slice(from)));
    fc.assert(
      fc.property(fc.integer({ min: 60, max: 400 }), (limit) => {
        const longest = kept.find((prompt) => prompt.length <= limit);
        fc.pre(longest !== undefined);
        const cut = render(name, limit);
        expect(cut.prompt(history)).toEqual(longest);
        expect(cut.truncated).toBe(kept[0]!.length > limit ? 1 : 0);
      }),
    );
  });
});

test('what a history says of a taste stays', () => {
  const all = tokenizer.decode(render('preference2sid', 10_000).prompt(history));
  const [taste = ''] = /They come back.*?\./.exec(all)!;
  const cut = tokenizer.decode(render('preference2sid', 120).prompt(history));
  expect(cut).toContain(taste);
  expect(cut.length).toBeLessThan(all.length);
});

test('where one item is too long, its beginning goes', () => {
  const title = 'Zigzag quilt jigs, 12 by 34 inches, with maroon xylophone keys';
  const long = items.map((item) => ({ ...item, title }));
  const { own } = parseTemplates({ own: { of: 'rows', answer: '{sid}', prompts: ['a {history_titles} b'] } }, 'here');
  const text = (cutoffLen: number): string =>
    tokenizer.decode(createRenderer(own!, index, tokenizer, { items: long, cutoffLen }).prompt([0, 1]));
  const shorter = [16, 17, 18, 19].map((limit) => text(limit));
  for (const prompt of shorter) {
    const [, kept = ''] = /^a (.*) b$/.exec(prompt)!;
    expect(title.endsWith(kept)).toBe(true);
    expect(kept.length).toBeLessThan(title.length);
  }
  expect(new Set(shorter).size).toBe(4);
});

test("an item's description loses its end, its title nothing", () => {
  const item = 11;
  const limit = render('item2index', 10_000).prompt([], item).length - 12;
  const cut = render('item2index', limit);
  const prompt = tokenizer.decode(cut.prompt([], item));
  const [, title, kept = ''] = /titled "(.*)" and described so: (.*)\n/.exec(prompt)!;
  expect(title).toBe(items[item]!.title);
  expect(itemText(items[item]!).description.startsWith(kept)).toBe(true);
  expect(cut.prompt([], item).length).toBeLessThanOrEqual(limit);
  expect(cut.truncated).toBe(2);
  expect(prompt.endsWith('Which code does it have?\n')).toBe(true);
});

test('an answer is never cut', () => {
  const [short, long] = [render('index2item', 20), render('index2item', 10_000)];
  for (const item of history) expect(short.answer(item)).toEqual(long.answer(item));
});

test('a prompt template that does not fit by itself is refused', () => {
  expect(() => render('seqrec', 5).prompt(history)).toThrow(
    /^--cutoff-len: expected at least \d+, the tokens of the prompt template by itself, got 5$/,
  );
});

test('a template with texts needs the items', () => {
  const bare = createRenderer(findTemplate('title2sid'), index, tokenizer);
  expect(() => bare.prompt([], 1)).toThrow('give the items of the data folder');
});

describe('prompts by hand', () => {
  const of = (title: string, description: string, brand = '', categories = ''): Item => ({ title, description, brand, categories }); // prettier-ignore
  const few = [
    of('red lamp', 'It is a lamp.', 'Ace', 'Light'),
    of('glue', 'Sticks.'),
    of('long steel nail', 'A nail.'),
  ];
  const context = promptContext([['<a>'], ['<b>'], ['<c>']], few);
  const rows: Template = {
    of: 'rows',
    separator: '+',
    answer: '{sid}',
    prompts: ['first', '{history_titles}|{history}'],
  };
  const ofItems: Template = { of: 'items', separator: '', answer: '{sid}', prompts: ['{title}: {description}'] };

  test.each([
    [0, 'red lamp+glue+long steel nail|<a>+<b>+<c>'],
    [1, 'glue+long steel nail|<b>+<c>'],
    [2, 'long steel nail|<c>'],
    [3, 'ong steel nail|c>'],
    [5, 'g steel nail|'],
  ])('a history shrunk by %i', (shrink, prompt) => {
    expect(renderPrompt(rows, { history: [0, 1, 2], item: 1 }, context, 1, shrink)).toBe(prompt);
  });

  test.each([
    [0, 'glue|<b>'],
    [1, 'lue|b>'],
    [3, 'e|'],
    [4, '|'],
    [9, '|'],
  ])('a history of one item shrunk by %i', (shrink, prompt) => {
    expect(renderPrompt(rows, { history: [1], item: 1 }, context, 1, shrink)).toBe(prompt);
    expect(renderPrompt(rows, { history: [], item: 1 }, context, 1, shrink)).toBe('|');
  });

  test.each([
    [0, 'red lamp: It is a lamp.'],
    [1, 'red lamp: It is a'],
    [3, 'red lamp: It'],
    [4, 'red lamp: '],
  ])("an item's longest text shrunk by %i words", (shrink, prompt) => {
    expect(renderPrompt(ofItems, { history: [], item: 0 }, context, 0, shrink)).toBe(prompt);
  });

  test('the first of equally long texts loses its end', () => {
    const even = promptContext([['<a>']], [of('one two', 'tea cup')]);
    expect(renderPrompt(ofItems, { history: [], item: 0 }, even, 0, 1)).toBe('one: tea cup');
  });

  test('the first prompt, whole, unless another is asked for; an unknown brand, and any end', () => {
    const asked = { ...ofItems, prompts: ['{brand} {categories}{end}', '{title}'] };
    expect(renderPrompt(asked, { history: [], item: 0 }, context)).toBe('Ace Light<|endoftext|>');
    expect(renderPrompt(asked, { history: [], item: 1 }, { ...context, end: '#' })).toBe('unknown unknown#');
    expect(renderPrompt(asked, { history: [], item: 1 }, context, 1)).toBe('glue');
    expect(promptContext([], undefined, [], 'x')).toEqual({ index: [], end: 'x' });
    expect(promptContext([])).toEqual({ index: [] });
  });

  test('the latest item of a history; a field that nobody enriched is empty', () => {
    const latest = { ...rows, prompts: ['[{latest}]'] };
    const said = (history: number[]): string => renderPrompt(latest, { history, item: 0 }, context);
    expect([[0, 1, 2], [1, 0], [1], []].map(said)).toEqual(['[<c>]', '[<a>]', '[<b>]', '[]']);
    const fields = { ...ofItems, prompts: ['[{enhanced_title}{tags}{highlights}{characteristics}]'] };
    expect(renderPrompt(fields, { history: [], item: 0 }, context)).toBe('[]');
  });

  /** Every character is a token. */
  const characters = { ...tokenizer, begin: [], encode: (text: string) => [...text].map((c) => c.codePointAt(0)!) };
  const render = (
    template: Template,
    options: object,
    of: TextTokenizer = characters,
  ): ReturnType<typeof createRenderer> =>
    createRenderer(template, [['<a>'], ['<b>'], ['<c>']], of, { items: few, ...options });

  test.each<[string, Template, number[], number]>([
    ['rows', { ...rows, prompts: ['[{history_titles}]{history}'] }, [0, 1, 2], 1],
    ['rows of one item', { ...rows, prompts: ['[{history}]'] }, [2], 1],
    ['items', ofItems, [], 0],
  ])('of %s: as little is left out as the limit asks', (_, template, history, item) => {
    const subject = { history, item };
    const texts = Array.from({ length: 40 }, (_, shrink) => renderPrompt(template, subject, context, 0, shrink));
    const shortest = Math.min(...texts.map(({ length }) => length));
    for (let cutoffLen = 1; cutoffLen <= texts[0]!.length + 1; cutoffLen++) {
      const renderer = render(template, { cutoffLen });
      if (cutoffLen < shortest) {
        expect(() => renderer.prompt(history, item)).toThrow(`--cutoff-len: expected at least ${shortest}, `);
      } else {
        const fitting = texts.find(({ length }) => length <= cutoffLen)!;
        expect(String.fromCodePoint(...renderer.prompt(history, item))).toBe(fitting);
        expect(renderer.truncated).toBe(fitting === texts[0] ? 0 : 1);
      }
    }
  });

  test('512 tokens unless another limit is given; begin of text before, a chat template around', () => {
    const long = promptContext([], [of('x'.repeat(600), '')]);
    expect(long.text!(0).title).toHaveLength(600);
    const titled = { ...ofItems, prompts: ['{sid} {title}'], answer: '{brand}' };
    const make = (length: number, options = {}, of: TextTokenizer = characters) =>
      createRenderer(titled, [['<a>']], of, { items: [{ ...few[0]!, title: 'x'.repeat(length) }], ...options });
    expect(make(508).prompt([], 0)).toHaveLength(512);
    expect(make(509).prompt([], 0)).toHaveLength(4);
    const begun = { ...characters, begin: [7, 8] };
    expect(make(1, {}, begun).prompt([], 0)).toEqual([7, 8, ...characters.encode('<a> x')]);
    const chat = { wrap: (text: string) => `(${text})` };
    expect(make(1, { chat }, begun).prompt([], 0)).toEqual(characters.encode('(<a> x)'));
    expect(make(1, { chat }, begun).answer(0)).toEqual(characters.encode('Ace'));
  });

  test("an answer is an item's, made once; of a preference it is the history's", () => {
    const renderer = render({ ...rows, answer: '{title}' }, {});
    expect(renderer.answer(0)).toBe(renderer.answer(0));
    expect(renderer.answer(1)).toEqual(characters.encode('glue'));
    const taste = render({ ...rows, answer: '{preference}' }, {});
    expect(taste.answer(0, [0])).not.toEqual(taste.answer(0, [1]));
  });
});
