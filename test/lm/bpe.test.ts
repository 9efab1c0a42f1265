/** The byte-level trainer against Hugging Face's (`test/golden/text/make_bpe.py`), and the tokenizer made of it. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bpeTokenizer } from '../../lib/lm/tokenizer/bpe-tokenizer.js';
import { spellBytes, trainBpe } from '../../lib/lm/tokenizer/train-bpe.js';

interface Golden {
  texts: string[];
  vocab: Record<string, number>;
  merges: [string, string][];
  hard: { text: string; ids: number[] }[];
}

const golden = JSON.parse(readFileSync('test/golden/text/bpe.json', 'utf8')) as Golden;
const INDEX = [
  ['<a_2>', '<b_20>'],
  ['<a_1>', '<b_20>'],
];
const tokenizer = bpeTokenizer(golden.texts, INDEX, { vocabSize: 400 });

test("the same merges and the same ids as Hugging Face's trainer", () => {
  const { vocab, merges } = trainBpe(golden.texts, { vocabSize: 400 });
  expect(merges).toEqual(golden.merges);
  expect(Object.fromEntries([['<|endoftext|>', 0], ...vocab])).toEqual(golden.vocab);
});

test.each(golden.hard)('$text is the same ids', ({ text, ids }) => {
  expect(tokenizer.encode(text)).toEqual(ids);
});

test('any text is spelled, and read back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
      fc.pre(!text.includes('<'));
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    }),
  );
});

test('counts kept up to date give the merges of counting anew', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' '), maxLength: 12 })), (texts) => {
      expect(trainBpe(texts, { vocabSize: 257 + 12 }).merges).toEqual(plainMerges(texts, 12));
    }),
    { numRuns: 200 },
  );
});

test('a vocabulary without room for the bytes is refused', () => {
  expect(() => bpeTokenizer([], INDEX, { vocabSize: 100 })).toThrow('--vocab-size: expected at least 257');
});

/** Counts every pair before every merge. */
function plainMerges(texts: string[], most: number): [string, string][] {
  const pieces = texts.flatMap((text) => text.match(/ ?[abc]+|\s+(?!\S)|\s+/g) ?? []);
  const words = pieces.map((piece) => [...spellBytes(piece)]);
  const order = new Map([...'abcĠ'].map((character, i) => [character, i]));
  const merges: [string, string][] = [];
  while (merges.length < most) {
    const counts = new Map<string, [string, string, number]>();
    for (const word of words) {
      for (let i = 0; i + 1 < word.length; i++) {
        const [left, right] = [word[i]!, word[i + 1]!];
        const found = counts.get(`${left}|${right}`);
        if (found) found[2]++;
        else counts.set(`${left}|${right}`, [left, right, 1]);
      }
    }
    const id = (token: string): number => order.get(token)!;
    const [best] = [...counts.values()].sort((a, b) => b[2] - a[2] || id(a[0]) - id(b[0]) || id(a[1]) - id(b[1]));
    if (!best || best[2] < 2) break;
    const [left, right] = best;
    if (!order.has(left + right)) order.set(left + right, order.size);
    merges.push([left, right]);
    words.forEach((word) => {
      for (let i = 0; i + 1 < word.length; i++) {
        if (word[i] === left && word[i + 1] === right) word.splice(i, 2, left + right);
      }
    });
  }
  return merges;
}
