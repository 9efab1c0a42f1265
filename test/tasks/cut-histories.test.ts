/** Shorter histories: every cut that may be drawn, against a list of those that may be by the rules. */
import { describe, expect, test } from 'vitest';
import type { Random } from '../../lib/support/random.js';
import { type Cut, cutChain, cutHistory, cutRow, cutText } from '../../lib/tasks/cut-histories.js';

/** What is made of each number that could be drawn, in order; one that draws nothing makes one thing. */
function outcomes<T>(make: (random: Random) => T): T[] {
  let below = 1;
  const made: T[] = [];
  for (let drawn = 0; drawn < below; drawn++) {
    made.push(make({ int: (count: number) => ((below = count), drawn) } as Random));
  }
  return made;
}

const byFrom = (cuts: readonly Cut[]): Cut[] => [...cuts].sort(([a], [b]) => a - b);
const lengths = [1, 2, 3, 4, 5, 6, 7];

test('a history keeps one to so many of its last items, and loses one at the least', () => {
  for (const length of [0, ...lengths]) {
    for (const longest of [1, 2, 3, 9]) {
      const expected = lengths.filter((kept) => kept < length && kept <= longest).map((kept): Cut => [length - kept, length]); // prettier-ignore
      const drawn = outcomes((random) => cutHistory(length, longest, random));
      if (expected.length === 0) expect(drawn).toEqual([undefined]);
      else expect(byFrom(drawn as Cut[]), `${length} items, at most ${longest}`).toEqual(byFrom(expected));
    }
  }
});

test('a text of chain mode begins later, and trains something that the whole text trains', () => {
  for (const length of lengths.slice(1)) {
    for (let context = 1; context < length; context++) {
      for (const longest of [1, 2, 3, 9]) {
        const items = Array.from({ length }, (_, i) => i);
        const from = items.filter((first) => first > 0 && first < length - 1 && first + longest >= context);
        const drawn = outcomes((random) => cutChain({ items, context }, longest, random));
        const expected = from.map((first): Cut => [first, Math.min(length, first + longest + 1)]);
        const of = `${length} items, ${context} of them context, at most ${longest}`;
        if (expected.length === 0) expect(drawn, of).toEqual([undefined]);
        else expect(byFrom(drawn as Cut[]), of).toEqual(expected);
      }
    }
  }
});

describe('what is left', () => {
  test('of a row', () => {
    const row = { user: 'u', history: [5, 6, 7, 8], target: 9 };
    expect(cutRow(row, undefined)).toBe(row);
    expect(cutRow(row, [1, 3])).toEqual({ user: 'u', history: [6, 7], target: 9 });
  });

  test.each<[Cut, number[], number]>([
    [[0, 3], [10, 11, 12], 3],
    [[1, 5], [11, 12, 13, 14], 2],
    [[2, 5], [12, 13, 14], 1],
    [[3, 5], [13, 14], 1],
  ])('of a text with three items of context, cut to %j', (cut, items, context) => {
    const text = { items: [10, 11, 12, 13, 14], context: 3 };
    expect(cutText(text, cut)).toEqual({ items, context });
    const weights = text.items.map((item) => item / 10);
    expect(cutText({ ...text, weights }, cut)).toEqual({ items, context, weights: items.map((item) => item / 10) });
    expect(cutText(text, undefined)).toBe(text);
  });
});
