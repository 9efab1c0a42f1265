/** How examples become parts and trees: budgets at their bound, the order of texts, what is shared. */
import { expect, test } from 'vitest';
import { wordTokenizer } from '../../lib/lm/tokenizer/tokenizer.js';
import type { Example } from '../../lib/tasks/examples.js';
import { byTokens, hasMasks, packMicroBatches, tokensOf } from '../../lib/train/sft/micro-batches.js';
import { separateTrees, sharePrefixes, sortTexts } from '../../lib/train/sft/shared-prefixes.js';
import { sidRows } from '../../lib/train/sft/trainable.js';

const text = (...tokens: number[]): Example => ({ tokens, labelPositions: [tokens.length - 1], labels: [0] });

test.each([
  [[3, 3, 4], 6, [[3, 3], [4]]],
  [[3, 3, 1, 6], 7, [[3, 3, 1], [6]]],
  [[9, 1, 9], 5, [[9], [1], [9]]],
  [[1, 9, 1], 5, [[1], [9], [1]]],
  [[], 5, []],
])('%j in runs of at most %i tokens', (sizes, budget, runs) => {
  expect(byTokens(sizes, budget, (size) => size)).toEqual(runs);
});

test('texts in lexicographic order, the beginning of another one first', () => {
  const texts = [[2, 1], [1, 9], [1], [1, 2, 3], [1, 2], [10]].map((tokens) => text(...tokens));
  expect(sortTexts(texts).map(({ tokens }) => tokens)).toEqual([[1], [1, 2], [1, 2, 3], [1, 9], [2, 1], [10]]);
  expect(texts[0]!.tokens).toEqual([2, 1]); // the list that was given keeps its order
});

test.each<[string, number[][], number[]]>([
  [
    'nothing in common',
    [
      [1, 2],
      [3, 4],
    ],
    [2, 2],
  ],
  [
    'a prefix of three',
    [
      [1, 2, 3, 4],
      [1, 2, 3, 5],
    ],
    [5],
  ],
  // apart 4 + 4 + 4; one prefix tree of all shares a token (10), the first two share three (5 + 4)
  [
    'two share more than three would',
    [
      [1, 2, 3, 4],
      [1, 2, 3, 5],
      [1, 6, 7, 8],
    ],
    [5, 4],
  ],
  [
    'equal texts',
    [
      [1, 2],
      [1, 2],
      [1, 2],
    ],
    [2],
  ],
  [
    'a text that is the beginning of another',
    [
      [1, 2, 3],
      [1, 2],
    ],
    [3],
  ],
  [
    'three pairs',
    [
      [1, 1],
      [2, 2],
      [1, 3],
      [2, 4],
      [3, 5],
      [3, 6],
    ],
    [3, 3, 3],
  ],
])('shared prefixes: %s', (_, texts, sizes) => {
  const { trees, targets } = sharePrefixes(texts.map((tokens) => text(...tokens)));
  expect(trees.map(({ token }) => token.length).sort()).toEqual([...sizes].sort());
  expect(targets).toHaveLength(texts.length);
});

test('apart: a chain each, every text with its own targets, in the order given', () => {
  const examples: Example[] = [
    { tokens: [5, 6, 7], labelPositions: [1, 2], labels: [7, 8] },
    { tokens: [5, 6], labelPositions: [1], labels: [9] },
  ];
  const { trees, targets } = separateTrees(examples);
  expect(trees.map(({ token }) => [...token])).toEqual([
    [5, 6, 7],
    [5, 6],
  ]);
  expect(targets).toEqual([
    { tree: 0, node: 1, token: 7 },
    { tree: 0, node: 2, token: 8 },
    { tree: 1, node: 1, token: 9 },
  ]);
  const apart = packMicroBatches(examples, 5, true);
  expect(apart.map(tokensOf)).toEqual([5]);
  expect(packMicroBatches(examples, 5, false).map(tokensOf)).toEqual([3]);
  expect(packMicroBatches(examples, 4, true).map(tokensOf)).toEqual([3, 2]);
});

test.each([
  [0, undefined, false],
  [0.1, undefined, true],
  [0, 0, false],
  [0, 0.1, true],
])('dropout of %f, of adapters %f: masks %s', (dropout, adapters, masks) => {
  const lora = adapters === undefined ? {} : { lora: { dropout: adapters } };
  expect(hasMasks(lora as Parameters<typeof hasMasks>[0], dropout)).toBe(masks);
});

test('the rows of SID tokens: those that joined, in any order; else those that were there; no gaps', () => {
  const tokenizer = wordTokenizer(
    ['a'],
    [
      ['<a_0>', '<b_0>'],
      ['<a_1>', '<b_0>'],
    ],
  ); // ids from 3: a_0, a_1, b_0
  expect(sidRows(tokenizer, ['<b_0>', '<a_1>'], ['<a_0>'])).toEqual({ first: 4, count: 2 });
  expect(sidRows(tokenizer, [], ['<b_0>', '<a_0>', '<a_1>'])).toEqual({ first: 3, count: 3 });
  expect(sidRows(tokenizer, [], [])).toEqual({ first: 0, count: 0 });
  expect(() => sidRows(tokenizer, ['<b_0>', '<a_0>'], [])).toThrow(
    '--freeze all-but-new-rows: expected the SID tokens of the index to follow one another in the vocabulary',
  );
});
