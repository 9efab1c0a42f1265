/** Prompts that are too long: what goes first, what never goes, and that it is counted. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Item } from '../../lib/data/dataset.js';
import { itemText } from '../../lib/data/item-text.js';
import { bpeTokenizer } from '../../lib/lm/tokenizer/bpe-tokenizer.js';
import { createRenderer } from '../../lib/tasks/prompts.js';
import { findTemplate, parseTemplates } from '../../lib/tasks/templates.js';

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
