/** Examples in tokens, and the templates whose items can be trained in a chain. */
import { describe, expect, test } from 'vitest';
import { wordTokenizer } from '../../lib/lm/tokenizer/tokenizer.js';
import { canChain, chainTexts, cutInto, rowExample, rowExamples } from '../../lib/tasks/examples.js';
import { createRenderer } from '../../lib/tasks/prompts.js';
import { type Template } from '../../lib/tasks/templates.js';
import { indexOf, TEMPLATE } from './small-dataset.js';

describe('examples in tokens', () => {
  const tokenizer = wordTokenizer(['begin'], indexOf(9));
  const id = (item: number): number => tokenizer.tokenId(`<a_${item}>`);

  test('of a row: the answer is trained, each token from the one before it', () => {
    const template = { ...TEMPLATE, answer: '{sid}{end}' };
    const render = createRenderer(template, indexOf(9), tokenizer, { cutoffLen: 2 });
    const rows = [
      { user: 'u', history: [3, 4], target: 5 },
      { user: 'u', history: [1, 2, 3], target: 6 },
    ];
    expect(rowExamples(rows, render)).toEqual([
      { tokens: [id(3), id(4), id(5)], labelPositions: [1, 2], labels: [id(5), 0] },
      { tokens: [id(2), id(3), id(6)], labelPositions: [1, 2], labels: [id(6), 0], truncated: true },
    ]);
  });

  test('the first prompt, unless another is asked for', () => {
    const template = { ...TEMPLATE, prompts: ['{history}', 'begin {history}'] };
    const render = createRenderer(template, indexOf(9), tokenizer);
    const row = { user: 'u', history: [3], target: 5 };
    expect(rowExample(row, render).tokens).toEqual([id(3)]);
    expect(rowExample(row, render, 1).tokens).toEqual([tokenizer.tokenId('begin'), id(3)]);
  });

  test.each<[boolean, Partial<Template>]>([
    [true, {}],
    [true, { prompts: ['begin {history}'] }],
    [false, { prompts: ['{history}', '{history}'] }],
    [false, { prompts: ['{history} begin'] }],
    [false, { separator: ' ' }],
    [false, { answer: '{sid}{end}' }],
  ])('a bare sequence of items: %s for %j', (bare, of) => {
    const template = { ...TEMPLATE, ...of };
    expect(canChain(template)).toBe(bare);
    const texts = (): unknown => chainTexts([{ user: 'u', history: [1], target: 2 }], template, 2);
    if (bare) expect(texts()).toEqual([{ items: [1, 2], context: 1 }]);
    else expect(texts).toThrow('--mode chain: expected a template that is a bare sequence of items');
  });

  test('windows of a sequence: every item but the first is trained once, and every text trains some', () => {
    for (let length = 2; length <= 13; length++) {
      const items = Array.from({ length }, (_, i) => i);
      for (const window of [1, 2, 3, 5]) {
        const rows = [{ user: 'u', history: items.slice(0, -1), target: length - 1 }];
        const texts = chainTexts(rows, TEMPLATE, window);
        const of = `${length} items, windows of ${window}`;
        expect(texts.flatMap((text) => text.items.slice(text.context)), of).toEqual(items.slice(1)); // prettier-ignore
        texts.forEach((text, i) => {
          expect(text.context, of).toBe(i === 0 ? 1 : window);
          expect(text.items.length, of).toBeGreaterThan(text.context);
          expect(text.items.length, of).toBeLessThanOrEqual(2 * window);
        });
      }
    }
  });

  test('runs of so many', () => {
    expect(cutInto([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
    expect(cutInto([1, 2, 3, 4], 2)).toEqual([[1, 2], [3, 4]]); // prettier-ignore
    expect(cutInto([1], 3)).toEqual([[1]]);
    expect(cutInto([], 3)).toEqual([]);
  });
});
