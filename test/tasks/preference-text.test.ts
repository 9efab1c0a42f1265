/** What a history says of a taste, by hand. */
import { describe, expect, test } from 'vitest';
import type { ItemText } from '../../lib/data/item-text.js';
import { preferenceText } from '../../lib/tasks/preference-text.js';

describe('what a history says of a taste', () => {
  const text = (of: Partial<ItemText>): ItemText => ({ title: '', description: '', summary: '', brand: '', categories: '', ...of }); // prettier-ignore

  test.each<[string, Partial<ItemText>[]]>([
    ['', []],
    ['Their taste is not known yet.', [{}]],
    ['Their taste is not known yet.', [{ title: 'set of 3 in' }]],
    ['They come back to Ace.', [{ brand: 'Ace' }]],
    ['They shop in Tools.', [{ categories: 'Tools' }]],
    ['They look for lamp.', [{ title: 'The lamp' }]],
    ['They come back to Ace and look for lamp.', [{ brand: 'Ace', title: 'lamp' }]],
    ['They come back to B and A.', [{ brand: 'A' }, { brand: 'B' }]], // the later of equal ones first
    ['They come back to C and B.', [{ brand: 'A' }, { brand: 'B' }, { brand: 'C' }]],
    ['They come back to A and C.', [{ brand: 'A' }, { brand: 'B' }, { brand: 'A' }, { brand: 'C' }]],
    ['They shop in Y.', [{ categories: 'Y' }, { categories: 'X' }, { categories: 'Y' }]],
    ['They look for four, three and two.', [{ title: 'one two three four' }]],
    ['They look for one, four and three.', [{ title: 'one two three four' }, { title: 'one' }]],
    ['They look for red.', [{ title: 'red Red RED' }]],
  ])('%s', (sentence, history) => {
    expect(preferenceText(history.map(text))).toBe(sentence);
  });
});
