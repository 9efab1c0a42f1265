/** `NAME.index.json`: both spellings there and back, and whatever is no index. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  codeTokens,
  indexCodes,
  PLAIN_SPELLING,
  readIndex,
  sidTokens,
  spelledTokens,
  tokensOfIndex,
  writeIndex,
} from '../../lib/data/sid-index.js';

describe('the index', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sidlab-'));
  afterAll(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'x.index.json');

  test('codes and tokens', () => {
    expect(sidTokens([12, 0, 7])).toEqual(['<a_12>', '<b_0>', '<c_7>']);
    const codes = [[12, 200, 7], [0, 1, 2], [12, 200, 8]]; // prettier-ignore
    writeIndex(path, codes.map(sidTokens));
    expect(readFileSync(path, 'utf8')).toBe('{"0": ["<a_12>", "<b_200>", "<c_7>"], "1": ["<a_0>", "<b_1>", "<c_2>"], "2": ["<a_12>", "<b_200>", "<c_8>"]}'); // prettier-ignore
    expect(indexCodes(readIndex(path))).toEqual(codes);
    expect(readIndex(path, 3)).toEqual(readIndex(path));
    expect(() => readIndex(path, 2)).toThrow('expected 2 items, got 3; run sidlab sid again on the same data');
    expect(() => readIndex(path, 4)).toThrow('item 3 of 4 is missing');
  });

  test.each<[unknown, string]>([
    [[], 'expected an object {id: [tokens]}'],
    [3, 'expected an object {id: [tokens]}'],
    [null, 'expected an object {id: [tokens]}'],
    [{ 0: [] }, 'item 0: expected tokens such as <a_12>, got []'],
    [{ 0: ['<a_1>'], 1: 'a' }, 'item 1: expected tokens such as <a_12>, got "a"'],
    [{ 0: ['<a_1>', 5] }, 'item 0: expected tokens'],
    [{ 0: ['<A_1>'] }, 'item 0: expected tokens'],
    [{ 0: ['<a_1>'], 1: ['<a_1>', '<b_2>'] }, "the SID of item 0 is the beginning of item 1's"],
    [{ 0: ['<a_1>', '<b_2>', '<c_3>'], 1: ['<a_1>', '<b_2>'] }, "the SID of item 1 is the beginning of item 0's"],
    [{ 1: ['<a_1>'] }, 'item 0 of 1 is missing'],
  ])('%j', (value, message) => {
    writeFileSync(path, JSON.stringify(value));
    expect(() => readIndex(path)).toThrow(message);
  });

  test('two items may share a SID', () => {
    const shared = [['<a_1>', '<b_2>'], ['<a_1>', '<b_2>'], ['<a_2>']]; // prettier-ignore
    writeIndex(path, shared);
    expect(readIndex(path)).toEqual(shared);
    expect(() => writeIndex(path, [['<a_1>'], ['<a_1>', '<b_1>']])).toThrow('is the beginning of item 1');
    expect(readIndex(path)).toEqual(shared);
  });

  describe('as OpenOneRec spells it', () => {
    const spelling = { tokens: 'openonerec', countFrom: 1 } as const;
    const [begin, end] = ['<|sid_begin|>', '<|sid_end|>'];

    test('codes between its marks, counted from where the spelling says', () => {
      const codes = [[11, 199], [0]]; // prettier-ignore
      const index = codes.map((of) => spelledTokens(of, spelling));
      expect(index).toEqual([[begin, '<s_a_12>', '<s_b_200>', end], [begin, '<s_a_1>', end]]); // prettier-ignore
      expect(index.map(codeTokens)).toEqual([['<s_a_12>', '<s_b_200>'], ['<s_a_1>']]);
      expect([index, [index[1]!], [['<a_1>']], []].map(tokensOfIndex)).toEqual(['openonerec', 'openonerec', 'plain', 'plain']); // prettier-ignore
      writeIndex(path, index);
      expect(indexCodes(readIndex(path), 1)).toEqual(codes);
      expect(spelledTokens([12, 0], PLAIN_SPELLING)).toEqual(['<a_12>', '<b_0>']);
      expect(spelledTokens([12, 0], { tokens: 'plain', countFrom: 1 })).toEqual(['<a_13>', '<b_1>']);
    });

    test.each([
      [[begin, end]],
      [[begin, '<a_1>', end]],
      [[begin, '<s_a_1>', '<s_b_2>']],
      [['<s_a_1>', '<s_b_2>', end]],
      [[begin, '<s_a_1>', '<x>', end]],
    ])('%j is none', (tokens) => {
      writeFileSync(path, JSON.stringify({ 0: [begin, '<s_a_9>', end], 1: tokens }));
      expect(() => readIndex(path)).toThrow(
        'item 1: expected <|sid_begin|>, tokens such as <s_a_12>, <|sid_end|>, got [',
      );
    });
  });
});
