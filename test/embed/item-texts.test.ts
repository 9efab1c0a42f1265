/** What an encoder reads of an item. Golden: MiniOneRec's own clean_text (test/golden/vectors/make_clean_text.py). */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { cleanedText, cleanText, itemTexts } from '../../lib/embed/item-texts.js';

const golden = JSON.parse(readFileSync('test/golden/vectors/clean-text.json', 'utf8')) as {
  raw: string;
  cleaned: string;
}[];

test.each(golden.map(({ raw, cleaned }) => [raw.slice(0, 50), raw, cleaned]))('%j', (_, raw, cleaned) => {
  expect(cleanText(raw)).toBe(cleaned);
});

test('parts that are cleaned to nothing are left out; no part is an unknown item', () => {
  expect(cleanedText(['A "bolt"', 'x'.repeat(2000)])).toBe('A bolt.');
  expect(cleanedText(['x'.repeat(2000), 'y'.repeat(3000)])).toBe('unknown item');
});

const item = (title: string, description: string) => ({ title, description, brand: '', categories: '' });

test('as they are by default; cleaned where it is asked for', () => {
  const items = [item('A <b>', 'c &amp; d'), item('E', '')];
  expect(itemTexts(items)).toEqual(['A <b> c &amp; d', 'E ']);
  expect(itemTexts(items, { cleanText: true })).toEqual(['A . c & d.', 'E. .']);
});

test('words are left out by the seed, each as often as the ratio says, in their order', () => {
  const words = Array.from({ length: 4000 }, (_, i) => `w${i}`);
  const [text] = itemTexts([item(words.join(' '), 'end')], { wordDropRatio: 0.3 });
  const left = text!.split(' ');
  expect(Math.abs(left.length - 0.7 * 4001)).toBeLessThan(5 * Math.sqrt(4001 * 0.21));
  expect(left).toEqual([...words, 'end'].filter((word) => left.includes(word)));
  expect(itemTexts([item(words.join(' '), 'end')], { wordDropRatio: 0.3 })[0]).toBe(text);
  expect(itemTexts([item(words.join(' '), 'end')], { wordDropRatio: 0.3, dropSeed: 7 })[0]).not.toBe(text);
});
