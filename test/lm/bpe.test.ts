/** The byte-level trainer against Hugging Face's (`test/golden/text/make_bpe.py`), and the tokenizer made of it. */
import { readFileSync } from 'node:fs';
import fc from '../fast-check.js';
import { describe, expect, test } from 'vitest';
import { bpeTokenizer, checkVocabSize } from '../../lib/lm/tokenizer/bpe-tokenizer.js';
import { BYTE_CHARACTERS } from '../../lib/lm/tokenizer/byte-alphabet.js';
import { BPE_VOCABULARY, spellBytes, trainBpe } from '../../lib/lm/tokenizer/train-bpe.js';

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

test('nothing is put before a text', () => expect(tokenizer.begin).toEqual([]));

test('any text is spelled, and read back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
      fc.pre(!text.includes('<'));
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    }),
  );
});

test.each([
  ['a', 15, 60],
  ['abc', 12, 12],
  ['abcdefghij', 40, 60],
])('of the letters %s, counts kept up to date give the merges of counting anew', (letters, most, longest) => {
  const text = fc.string({ unit: fc.constantFrom(...letters, ' '), maxLength: longest });
  fc.assert(
    fc.property(fc.array(text, { maxLength: 12 }), (texts) => {
      for (const minFrequency of [1, 2, 3]) {
        const { merges } = trainBpe(texts, { vocabSize: 257 + most, minFrequency });
        expect(merges).toEqual(plainMerges(texts, most, minFrequency));
      }
    }),
    { numRuns: 100 },
  );
});

test('the alphabet: bytes that print are themselves, the others follow from U+0100 on', () => {
  const printing = (byte: number): boolean => /[!-~\u00a1-\u00ac\u00ae-\u00ff]/.test(String.fromCharCode(byte));
  const others = [...Array(256).keys()].filter((byte) => !printing(byte));
  expect(others).toHaveLength(68);
  expect(BYTE_CHARACTERS).toHaveLength(256);
  BYTE_CHARACTERS.forEach((character, byte) => {
    expect(character.codePointAt(0)).toBe(printing(byte) ? byte : 0x100 + others.indexOf(byte));
  });
});

describe('the size of a vocabulary', () => {
  const texts = ['abab abab cdcd cdcd efef ghgh ghgh ghgh'];

  test('is reached exactly, ids follow those that are reserved', () => {
    for (const reserved of [1, 3]) {
      const { vocab, merges } = trainBpe(texts, { vocabSize: reserved + 256 + 3, reserved });
      expect(merges).toHaveLength(3);
      expect([...vocab.values()].sort((a, b) => a - b)).toEqual(Array.from({ length: 259 }, (_, i) => reserved + i));
      expect(vocab.get('!')).toBe(reserved);
      merges.forEach(([left, right], i) => expect(vocab.get(left + right)).toBe(reserved + 256 + i));
    }
    expect(trainBpe(texts, { vocabSize: 257 }).merges).toEqual([]);
    expect(trainBpe(texts).vocab.get('!')).toBe(1);
    expect(BPE_VOCABULARY).toBe(8192);
  });

  test('pairs come twice at least, unless more or fewer are asked for', () => {
    const count = (minFrequency?: number): number =>
      trainBpe(['xy xy xy', 'zw zw', 'uv'], { ...(minFrequency && { minFrequency }) }).merges.length;
    // " xy" is a pair of pairs, as " zw" is; the first word of a text has no blank
    expect([count(), count(2), count(4)]).toEqual([3, 3, 0]);
    expect(count(1)).toBeGreaterThan(count(2));
    expect(count(3)).toBe(1);
  });

  test.each([256, 0, -1, 257.5, NaN])('%d is refused', (vocabSize) => {
    expect(() => trainBpe(texts, { vocabSize })).toThrow(
      `trainBpe: expected vocabSize of at least 257, the bytes, got ${vocabSize}`,
    );
    expect(() => checkVocabSize(vocabSize)).toThrow(
      `--vocab-size: expected at least 257, the bytes and the end of text, got ${vocabSize}`,
    );
  });

  test('257 is enough', () => {
    checkVocabSize(257);
    expect(bpeTokenizer(texts, INDEX, { vocabSize: 257 }).vocabSize).toBe(257 + 3);
    expect(bpeTokenizer(texts, INDEX, { vocabSize: 257, sids: 'none' }).vocabSize).toBe(257);
  });
});

/** Counts every pair before every merge. */
function plainMerges(texts: string[], most: number, minFrequency: number): [string, string][] {
  const pieces = texts.flatMap((text) => text.match(/ ?[a-j]+|\s+(?!\S)|\s+/g) ?? []);
  const words = pieces.map((piece) => [...spellBytes(piece)]);
  const order = new Map([...'abcdefghijĠ'].map((character, i) => [character, i]));
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
    if (!best || best[2] < minFrequency) break;
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
